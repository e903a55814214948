//! Calls that fail at once.

use serde_json::{Value, json};

use super::{Driven, ROOT};
use crate::call::Message;
use crate::exchange::{Call, Direction, Effect, Flow, Outcome, Purpose};
use crate::host::api::Action;
use crate::host::stream::settle::{Failure, FollowUp, Perform, settle};

/// An exchange that says what is written down, one outcome for each call that failed.
struct Scripted {
    outcomes: Vec<Outcome>,
    failed: Vec<u64>,
    performed: Vec<Effect>,
    resumed: Vec<Direction>,
}

fn call(number: u64) -> Effect {
    Effect::Call(Box::new(Call {
        purpose: Purpose::RequestClaim,
        number,
        cluster: "nowhere".to_owned(),
        authority: None,
        message: Message::Http {
            method: "GET",
            scheme: None,
            path: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        },
        timeout: core::time::Duration::from_secs(1),
        max_answer_bytes: 1,
    }))
}

fn outcome(effects: Vec<Effect>) -> Outcome {
    let flow = Flow::Hold;
    Outcome { effects, flow }
}

impl Perform for Scripted {
    fn perform(&mut self, effect: Effect) -> Result<Option<FollowUp>, Failure> {
        if let Effect::Call(call) = effect {
            return Ok(Some(FollowUp::NotSent {
                purpose: call.purpose,
                number: call.number,
            }));
        }
        self.performed.push(effect);
        Ok(None)
    }

    fn resume(&mut self, direction: Direction) -> Result<(), Failure> {
        self.resumed.push(direction);
        Ok(())
    }

    fn follow(&mut self, what: FollowUp) -> Result<Outcome, Failure> {
        let FollowUp::NotSent { number, .. } = what else {
            panic!("nothing else was asked for: {what:?}");
        };
        self.failed.push(number);
        // Once the script is over, calls go on failing.
        let next = self.outcomes.pop();
        Ok(next.unwrap_or_else(|| outcome(vec![self::call(number + 1)])))
    }
}

fn scripted(mut outcomes: Vec<Outcome>) -> Scripted {
    outcomes.reverse();
    Scripted {
        outcomes,
        failed: Vec::new(),
        performed: Vec::new(),
        resumed: Vec::new(),
    }
}

#[test]
fn what_is_said_of_a_call_that_failed_at_once_decides_what_goes_on() {
    let remove = Effect::RemoveResponseHeader("etag".to_owned());
    for (own, flow, resumed) in [
        (Some(Direction::Request), Flow::Continue, vec![]),
        (
            Some(Direction::Response),
            Flow::Hold,
            vec![Direction::Request],
        ),
        (None, Flow::Hold, vec![Direction::Request]),
    ] {
        let mut performer = scripted(vec![
            outcome(vec![call(3)]),
            outcome(vec![remove.clone()]),
            outcome(vec![Effect::Resume(Direction::Request)]),
        ]);
        let first = outcome(vec![call(1), call(2)]);
        assert_eq!(settle(&mut performer, own, first), Ok(flow));
        assert_eq!(performer.failed, [1, 2, 3]);
        assert_eq!(performer.performed, std::slice::from_ref(&remove));
        assert_eq!(performer.resumed, resumed);
    }
}

#[test]
fn calls_that_fail_for_ever_come_to_an_end() {
    let mut performer = scripted(Vec::new());
    let first = outcome(vec![call(1)]);
    assert_eq!(settle(&mut performer, None, first), Err(Failure::Endless));
}

#[test]
fn a_request_whose_desk_is_missing_is_answered_once_and_never_goes_on() {
    let rule = json!([{"name": "ask", "then": {"approve": {"reviewers": ["leads"]}}}, {"name": "all", "then": "allow"}]);
    let sections = json!({"approvals": {"cluster": "desk", "standing": false}, "rules": rule});
    let mut driven = Driven::new(&sections);
    driven.host.without_clusters();
    driven.request_headers(&[], false);
    assert_eq!(driven.request_body("{}", true), Action::Pause);
    // It is asked with one tick, and told of what comes of that with the next.
    driven.tick();
    driven.tick();
    driven.log();
    assert_eq!(driven.host.statuses(), [503]);
    assert!(!driven.request.head && driven.request.body.is_empty());
    assert!(driven.host.record().unwrap().contains("unavailable"));
}

/// An answer that waits for a person, whole and with something found in it.
fn waiting(no_desk: bool) -> Driven {
    let sections = json!({
        "approvals": {"cluster": "desk", "standing": false},
        "masks": {"ask": {"detect": [{"is": "email", "action": {"approve": {"reviewers": ["leads"]}}}]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["ask"]}],
    });
    let mut driven = Driven::new(&sections);
    if no_desk {
        driven.host.without_clusters();
    }
    driven.request_headers(&[], true);
    let head = [(":status", "200"), ("content-type", "text/plain")];
    assert_eq!(driven.response_headers(&head, false), Action::Pause);
    let action = driven.response_body("write to ana@example.com", true);
    assert_eq!(action, Action::Pause);
    driven
}

#[test]
fn a_question_says_how_the_request_came() {
    let rule = json!([{"name": "ask", "then": {"approve": {"reviewers": ["leads"]}}}, {"name": "all", "then": "allow"}]);
    let sections = json!({"approvals": {"cluster": "desk", "standing": false}, "rules": rule});
    let mut driven = Driven::new(&sections);
    driven.host.set_text("route_name", "chat");
    driven.host.set_text("cluster_name", "models");
    driven.host.set_text("address", "10.0.0.9:4711");
    driven.request_headers(&[], false);
    driven.request_body("{}", true);
    driven.tick();
    let question: Value = serde_json::from_slice(&driven.host.called_with()).unwrap();
    for (member, expected) in [
        ("route", "chat"),
        ("cluster", "models"),
        ("client", "10.0.0.9:4711"),
    ] {
        assert_eq!(question[member], expected, "{member}");
    }
    // Nobody waits any more: the service hears of it once there is an id.
    let binding = &question["binding"];
    let answer = json!({"id": "apr_1", "binding": binding, "state": "pending"});
    driven.root_answered("200", &answer.to_string());
    driven.tick();
    driven.log();
    driven.tick();
    assert_eq!(
        driven.host.caller(),
        ROOT,
        "a stream that has ended can't call"
    );
    let cancel: Value = serde_json::from_slice(&driven.host.called_with()).unwrap();
    assert_eq!(cancel, json!({"asker": question["asker"]}));
}

#[test]
fn an_answer_whose_desk_is_missing_is_replaced_and_leaves_nothing_behind() {
    let mut driven = waiting(true);
    driven.tick();
    driven.tick();
    driven.log();
    assert_eq!(driven.host.statuses(), [503]);
    assert!(!driven.response.head && driven.response.body.is_empty());
    assert_eq!(driven.host.drain(Direction::Response), b"");
}

#[test]
fn an_answer_that_is_denied_leaves_nothing_behind_and_one_that_is_approved_goes_on() {
    for approved in [false, true] {
        let mut driven = waiting(false);
        let state = if approved { "approved" } else { "denied" };
        driven.tick();
        let question: Value = serde_json::from_slice(&driven.host.called_with()).unwrap();
        let binding = &question["binding"];
        let answer = json!({"id": "apr_1", "binding": binding, "state": state});
        driven.root_answered("200", &answer.to_string());
        driven.tick();
        if approved {
            assert!(!driven.response.end, "it goes once it is claimed");
            let claim: Value = serde_json::from_slice(&driven.host.called_with()).unwrap();
            let claim = &claim["claim"];
            let answer =
                json!({"id": "apr_1", "binding": binding, "claim": claim, "state": "claimed"});
            driven.answered("200", &answer.to_string());
        }
        assert_eq!(driven.response.end, approved);
        assert_eq!(driven.host.replies() == 0, approved);
        let sent: &[u8] = if approved {
            b"write to ana@example.com"
        } else {
            b""
        };
        assert_eq!(driven.response.body, sent);
        assert_eq!(driven.host.drain(Direction::Response), b"");
    }
}

#[test]
fn a_body_that_ends_with_trailers_is_judged_in_their_callback() {
    let patterns = json!({"probe": {"any_of": ["secret"]}});
    let sections = json!({"patterns": patterns, "rules": [
        {"name": "probe", "when": {"prompt": ["probe"]}, "then": "deny"},
        {"name": "all", "then": "allow"},
    ]});
    for (word, passes) in [("secret", false), ("hello", true)] {
        let mut driven = Driven::new(&sections);
        driven.request_headers(&[], false);
        let body = json!({"messages": [{"role": "user", "content": word}]}).to_string();
        assert_eq!(driven.request_body(&body, false), Action::Pause);
        assert_eq!(driven.request_trailers() == Action::Continue, passes);
        assert_eq!(driven.request.end, passes);
        assert_eq!(driven.host.replies() == 0, passes);
    }
}
