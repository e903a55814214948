//! Services that fail.

use core::time::Duration;

use serde_json::json;

use super::{asking, seconds, states};
use crate::approval::{Decision, State, Trouble};
use crate::keeper::{Effect, Event};
use crate::metric::Metric;

#[test]
fn a_service_that_fails_at_the_first_question_is_away() {
    for (answer, trouble) in [
        (None, Trouble::NoAnswer),
        (Some((401, json!({}))), Trouble::KeyRefused),
        (Some((429, json!({}))), Trouble::TooMany),
        (Some((422, json!({}))), Trouble::Refused),
        (Some((500, json!({}))), Trouble::Failing),
        (
            Some((
                200,
                json!({"id": "apr_1", "binding": "c", "state": "approved"}),
            )),
            Trouble::NotUnderstood,
        ),
    ] {
        let mut kept = asking();
        kept.ask(1, "b");
        kept.ask(2, "b");
        let ask = kept.called();
        kept.answer(&ask, answer.as_ref().map(|(status, body)| (*status, body)));
        let heard = kept.heard();
        let away = |exchange| (exchange, Decision::Trouble(trouble));
        assert_eq!(heard, [away(1), away(2)]);
        kept.now += seconds(60);
        assert_eq!(kept.step(), (vec![], vec![]));
    }
}

#[test]
fn a_service_that_goes_away_in_the_middle_is_asked_ever_less_often_until_the_deadline() {
    let mut kept = asking();
    let began = kept.now;
    let mut poll = kept.polled(&[1]);
    let mut pauses = Vec::new();
    for _ in 0..5 {
        kept.answer(&poll, None);
        let failed = kept.now;
        loop {
            let (mut calls, heard) = kept.step();
            assert_eq!(heard, []);
            if let Some(call) = calls.pop() {
                poll = call;
                break;
            }
            kept.now += Duration::from_millis(500);
        }
        pauses.push((kept.now - failed).as_secs());
    }
    assert_eq!(pauses, [1, 2, 4, 5, 5]);
    // It is back: what it says counts.
    kept.says(&poll, "b", "apr_1", "approved");
    assert_eq!(states(&kept.heard()), [State::Approved]);

    // If it stays away, the cause is what the client is told.
    kept.now = began;
    let poll = kept.polled(&[2]);
    kept.answer(&poll, Some((403, &json!({}))));
    kept.now = began + seconds(25);
    let (_, heard) = kept.step();
    assert_eq!(heard, [(2, Decision::Trouble(Trouble::KeyRefused))]);
}

#[test]
fn each_cause_is_counted_and_logged_once_in_ten_seconds() {
    let mut kept = asking();
    let mut poll = kept.polled(&[1]);
    let mut lines = Vec::new();
    let mut counted = 0;
    let mut note = |effects: Vec<Effect>| {
        for effect in effects {
            match effect {
                Effect::Log { line, .. } => lines.push(line),
                Effect::Change(Metric::ApprovalFailures { code }, by) => {
                    assert_eq!(code.name(), "approval_service_failed");
                    counted += by;
                }
                _ => {}
            }
        }
    };
    for _ in 0..3 {
        note(kept.answer(&poll, Some((500, &json!({})))));
        loop {
            kept.now += Duration::from_millis(500);
            let effects = kept.tick();
            let call = effects.iter().find_map(|effect| match effect {
                Effect::Call(call) => Some(call.clone()),
                _ => None,
            });
            note(effects);
            if let Some(call) = call {
                poll = call;
                break;
            }
        }
    }
    // An exchange's own calls count as well.
    note(kept.handle(Event::Trouble(Trouble::Failing)));
    kept.now += seconds(1);
    note(kept.tick());
    assert_eq!(counted, 4);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("approval_service_failed: "),
        "{lines:?}"
    );
    kept.now += seconds(10);
    let logs = |effects: Vec<Effect>| {
        let log = |effect: &&Effect| matches!(effect, Effect::Log { .. });
        effects.iter().filter(log).count()
    };
    assert_eq!(logs(kept.handle(Event::Trouble(Trouble::Failing))), 1);
    assert_eq!(logs(kept.handle(Event::Trouble(Trouble::NoAnswer))), 1);
}
