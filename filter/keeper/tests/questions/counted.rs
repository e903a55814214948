//! Who waits for people, how long, and what comes of it, as operators are told.

use core::time::Duration;
use std::collections::BTreeMap;

use serde_json::json;

use super::{asking, seconds};
use crate::approval::{Subject, Trouble};
use crate::exchange::Ask;
use crate::keeper::tests::{Kept, every};
use crate::keeper::{Effect, Event};
use crate::metric::Metric;

/// All that was told of waiting, by name: the sum of a counter's or a gauge's changes, and each of a histogram's
/// values.
#[derive(Default)]
struct Heard {
    sums: BTreeMap<String, i64>,
    times: Vec<i64>,
}

impl Heard {
    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Effect::Change(metric, by) = effect else {
                continue;
            };
            if metric == Metric::ApprovalWait {
                self.times.push(by);
            } else {
                *self.sums.entry(metric.to_string()).or_default() += by;
            }
        }
    }

    /// What is told until all counts must have gone.
    fn rest(&mut self, kept: &mut Kept) {
        for _ in 0..3 {
            self.note(kept.tick());
            kept.now += Duration::from_millis(600);
        }
    }

    fn of(&self, name: &str) -> i64 {
        let name = format!("portcullis_{name}");
        self.sums.get(&name).copied().unwrap_or(0)
    }
}

#[test]
fn who_waits_is_told_at_once_and_what_came_of_it_in_the_end() {
    let mut kept = asking();
    let mut heard = Heard::default();
    let began = kept.now;
    for exchange in 1..=3 {
        kept.ask(exchange, "b");
    }
    let effects = kept.tick();
    let waits = Effect::Change(Metric::ApprovalsWaiting, 3);
    assert!(effects.contains(&waits), "{effects:?}");
    let ask = effects.into_iter().find_map(|effect| match effect {
        Effect::Call(call) => Some(call),
        _ => None,
    });
    kept.says(&ask.unwrap(), "b", "apr_1", "pending");
    let poll = kept.tick().into_iter().find_map(|effect| match effect {
        Effect::Call(call) => Some(call),
        _ => None,
    });
    heard.rest(&mut kept);
    // One leaves, which is told without anything else to do.
    assert_eq!(kept.keeper.forget(2), [every(1000)]);
    kept.now += seconds(1);
    let effects = kept.tick();
    let left = Effect::Change(Metric::ApprovalsWaiting, -1);
    assert!(effects.contains(&left), "{effects:?}");
    kept.now = began + seconds(7);
    kept.says(&poll.unwrap(), "b", "apr_1", "approved");
    heard.note(kept.tick());
    assert_eq!(heard.times, [7000], "an approval is good for one");
    assert_eq!(heard.of("approvals_waiting"), -1);
    // It is asked once more for the other one, for whom nobody decides.
    heard.rest(&mut kept);
    kept.now += seconds(30);
    heard.rest(&mut kept);
    assert_eq!(heard.of("approvals_waiting"), -2);
    assert_eq!(heard.of("approvals_asked"), 3);
    for (outcome, count) in [("approved", 1), ("left", 1), ("late", 1), ("denied", 0)] {
        let name = format!("approvals_decided.outcome={outcome}");
        assert_eq!(heard.of(&name), count, "{name}");
    }
    assert_eq!(heard.times.len(), 2, "who left has no time");
}

#[test]
fn a_denial_and_a_service_that_is_away_are_told_as_such() {
    let mut kept = asking();
    let mut heard = Heard::default();
    kept.ask(1, "b");
    let ask = kept.called();
    kept.says(&ask, "b", "apr_1", "denied");
    heard.rest(&mut kept);
    kept.ask(2, "c");
    let ask = kept.called();
    kept.answer(&ask, None);
    kept.handle(Event::Trouble(Trouble::NoAnswer));
    heard.rest(&mut kept);
    assert_eq!(heard.of("approvals_decided.outcome=denied"), 1);
    assert_eq!(heard.of("approvals_decided.outcome=failed"), 1);
    assert_eq!(heard.times.len(), 2);
}

#[test]
fn a_clock_that_is_put_back_changes_no_time() {
    let mut kept = asking();
    let poll = kept.polled(&[1]);
    kept.now -= Duration::from_secs(60 * 60);
    kept.tick();
    kept.now += seconds(4);
    kept.says(&poll, "b", "apr_1", "approved");
    let mut heard = Heard::default();
    heard.note(kept.tick());
    assert_eq!(heard.times, [4000]);
}

#[test]
fn a_configuration_that_ends_takes_its_share_of_the_gauge_with_it() {
    let mut kept = asking();
    let mut heard = Heard::default();
    kept.ask(1, "b");
    kept.ask(2, "c");
    heard.note(kept.tick());
    assert_eq!(heard.of("approvals_waiting"), 2);
    heard.note(kept.handle(Event::Ended));
    assert_eq!(heard.of("approvals_waiting"), 0);
    assert_eq!(heard.of("approvals_asked"), 2);
    // Its streams go on, and no gauge is left behind.
    kept.ask(3, "d");
    heard.note(kept.tick());
    kept.keeper.forget(1);
    heard.note(kept.tick());
    assert_eq!(heard.of("approvals_waiting"), 0);
    assert_eq!(heard.of("approvals_asked"), 3);
    assert_eq!(heard.of("approvals_decided.outcome=left"), 1);
}

#[test]
fn an_answer_that_is_looked_for_is_waited_for_once_it_is_found() {
    let mut kept = asking();
    let mut heard = Heard::default();
    let mut look = |kept: &mut Kept, exchange, found: Option<&str>| {
        let ask = Box::new(Ask {
            about: Subject::Request,
            number: u64::from(exchange) + 1000,
            binding: format!("name {exchange}"),
            finds: true,
            asker: "a".to_owned(),
            question: b"find".to_vec().into(),
            deadline: kept.now + seconds(25),
        });
        kept.handle(Event::Ask { exchange, ask });
        let call = kept.called();
        let request = format!("name {exchange}");
        let body = match found {
            Some(state) => {
                json!({"id": "apr_1", "binding": "b", "state": state, "request": request})
            }
            None => json!({}),
        };
        let status = if found.is_some() { 200 } else { 404 };
        kept.answer(&call, Some((status, &body)));
        heard.rest(kept);
        (heard.of("approvals_asked"), heard.of("approvals_waiting"))
    };
    assert_eq!(look(&mut kept, 1, None), (0, 0));
    assert_eq!(look(&mut kept, 2, Some("pending")), (1, 1));
    assert_eq!(heard.of("kept_lookups.outcome=miss"), 1);
    assert_eq!(heard.of("kept_lookups.outcome=hit"), 1);
}
