//! A clock that is put back: nobody waits for longer than before, nor for less.

use core::time::Duration;

use serde_json::json;

use super::{asking, http, seconds, states};
use crate::approval::{Decision, State, Trouble};
use crate::keeper::{Effect, Event, Told};

const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn who_waits_does_so_until_the_same_moment() {
    let mut kept = asking();
    let poll = kept.polled(&[1]);
    kept.now += seconds(5);
    kept.tick();
    kept.now -= HOUR;
    assert_eq!(kept.step(), (vec![], vec![]), "nobody is thrown out");
    // The poll took its time, and is followed by another one within a second.
    kept.says(&poll, "b", "apr_1", "pending");
    kept.now += seconds(1);
    let poll = kept.called();
    let (_, path, _) = http(&poll);
    assert!(
        path.contains("wait=19&") || path.contains("wait=20&"),
        "{path}"
    );
    kept.now += seconds(18);
    assert_eq!(kept.step(), (vec![], vec![]));
    kept.now += seconds(2);
    let late = (1, Decision::Late("apr_1".to_owned()));
    let (_, heard) = kept.step();
    assert_eq!(heard, [late]);
}

#[test]
fn who_asks_behind_that_waits_for_as_long_as_others() {
    let mut kept = asking();
    kept.polled(&[1]);
    kept.now -= HOUR;
    kept.ask(2, "other");
    let ask = kept.called();
    kept.says(&ask, "other", "apr_2", "approved");
    let heard = kept.heard();
    assert_eq!((heard[0].0, states(&heard)), (2, vec![State::Approved]));
    kept.now += seconds(25);
    let (_, heard) = kept.step();
    assert_eq!(heard, [(1, Decision::Late("apr_1".to_owned()))]);
}

#[test]
fn a_question_that_is_to_be_asked_again_is_within_seconds() {
    let mut kept = asking();
    let poll = kept.polled(&[1]);
    kept.answer(&poll, None);
    kept.now -= HOUR;
    kept.tick();
    kept.now += seconds(1);
    let poll = kept.called();
    kept.says(&poll, "b", "apr_1", "approved");
    assert_eq!(states(&kept.heard()), [State::Approved]);
}

#[test]
fn what_must_arrive_exchanges_that_want_to_be_woken_and_counts_are_not_late_either() {
    let mut kept = asking();
    kept.handle(Event::WakeAt {
        exchange: 7,
        at: kept.now + seconds(2),
    });
    kept.handle(Event::Trouble(Trouble::Failing));
    kept.now -= HOUR;
    kept.tick();
    kept.now += seconds(2);
    let effects = kept.tick();
    let what = Told::Tick;
    assert!(effects.contains(&Effect::Tell { exchange: 7, what }));
    let counted = |effect: &Effect| matches!(effect, Effect::Change(..));
    assert!(effects.iter().any(counted), "{effects:?}");
}

#[test]
fn a_host_that_can_not_tell_the_time_for_a_moment_changes_nothing() {
    let mut kept = asking();
    let poll = kept.polled(&[1]);
    let now = core::mem::take(&mut kept.now);
    kept.answer(&poll, Some((500, &json!({}))));
    kept.now = now + seconds(24);
    let (_, heard) = kept.step();
    assert_eq!(heard, []);
    kept.now += seconds(1);
    let (_, heard) = kept.step();
    assert_eq!(heard, [(1, Decision::Trouble(Trouble::Failing))]);
}
