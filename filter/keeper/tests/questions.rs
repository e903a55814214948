//! Questions that exchanges share.

mod clock;
mod counted;
mod failing;
mod leaving;

use core::time::Duration;

use serde_json::{Value, json};

use super::{Kept, every, with};
use crate::approval::{Decision, State, Subject};
use crate::call::{Answer, Message};
use crate::exchange::{Ask, CompiledPolicy};
use crate::keeper::{Call, Effect, Event, Told};
use crate::testing::ec_public;

fn asking() -> Kept {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [
            {"name": "corp", "issuer": "https://idp", "audiences": ["inference"],
             "keys": {"jwks": {"keys": [ec_public(1, "a")]}}},
        ]},
        "approvals": {"cluster": "desk", "credential": "Bearer ${KEY}", "wait": "25s", "timeout": "2s", "standing": false},
        "rules": [{"name": "all", "then": "allow"}],
    });
    let environment = |_: &str| Some("a-key-of-the-filter".to_owned());
    let mut kept = with(CompiledPolicy::load(&policy.to_string(), &environment).unwrap());
    kept.start();
    kept
}

/// What an exchange of this number is told.
type Heard = Vec<(u32, Decision)>;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Kept {
    /// An exchange asks with this binding, and waits for so many seconds.
    fn ask_for(&mut self, exchange: u32, binding: &str, wait: u64) {
        let ask = Ask {
            about: Subject::Request,
            number: u64::from(exchange) + 1000,
            binding: binding.to_owned(),
            finds: false,
            asker: format!("asker{exchange}"),
            question: format!("question {exchange}").into_bytes().into(),
            deadline: self.now + seconds(wait),
        };
        let ask = Box::new(ask);
        self.handle(Event::Ask { exchange, ask });
    }

    fn ask(&mut self, exchange: u32, binding: &str) {
        self.ask_for(exchange, binding, 25);
    }

    /// A tick: the calls that it makes, and what exchanges hear.
    fn step(&mut self) -> (Vec<Call>, Heard) {
        let (mut calls, mut heard) = (Vec::new(), Vec::new());
        for effect in self.tick() {
            match effect {
                Effect::Call(call) => calls.push(call),
                Effect::Tell { exchange, what } => {
                    let Told::Decided {
                        about,
                        number,
                        decision,
                    } = what
                    else {
                        panic!("{what:?}");
                    };
                    assert_eq!(
                        (about, number),
                        (Subject::Request, u64::from(exchange) + 1000)
                    );
                    heard.push((exchange, decision));
                }
                _ => {}
            }
        }
        (calls, heard)
    }

    /// The one call of a tick in which nobody hears anything.
    fn called(&mut self) -> Call {
        let (mut calls, heard) = self.step();
        assert_eq!((calls.len(), heard), (1, vec![]), "{calls:?}");
        calls.remove(0)
    }

    fn heard(&mut self) -> Heard {
        let (calls, heard) = self.step();
        assert_eq!(calls, []);
        heard
    }

    fn answer(&mut self, call: &Call, answer: Option<(u16, &Value)>) -> Vec<Effect> {
        let body = answer.map(|(_, body)| body.to_string());
        let answer = match (answer, &body) {
            (Some((status, _)), Some(body)) => Answer::Http {
                status,
                coding: b"",
                body: body.as_bytes(),
            },
            _ => Answer::Failed,
        };
        let purpose = call.purpose;
        self.handle(Event::CallAnswered { purpose, answer })
    }

    fn says(&mut self, call: &Call, binding: &str, id: &str, state: &str) {
        let answer = json!({"id": id, "binding": binding, "state": state});
        self.answer(call, Some((200, &answer)));
    }

    /// A question that was asked, and its first poll.
    fn polled(&mut self, exchanges: &[u32]) -> Call {
        for exchange in exchanges {
            self.ask(*exchange, "b");
        }
        let ask = self.called();
        self.says(&ask, "b", "apr_1", "pending");
        let (mut calls, mut heard) = self.step();
        while heard.len() < exchanges.len() {
            heard.extend(self.heard());
        }
        assert_eq!(states(&heard), vec![State::Pending; exchanges.len()]);
        calls.remove(0)
    }
}

fn states(heard: &Heard) -> Vec<State> {
    let state = |(_, decision): &(u32, Decision)| match decision {
        Decision::Answer(answer) => answer.state,
        other => panic!("{other:?}"),
    };
    heard.iter().map(state).collect()
}

fn who(heard: &Heard) -> Vec<u32> {
    heard.iter().map(|(exchange, _)| *exchange).collect()
}

fn http(call: &Call) -> (&str, &str, String) {
    match &call.message {
        Message::Http {
            method, path, body, ..
        } => (method, path, String::from_utf8(body.clone()).unwrap()),
        Message::Grpc { .. } => panic!("no HTTP: {call:?}"),
    }
}

#[test]
fn a_kept_answer_is_looked_for_and_its_approval_waited_for() {
    let mut kept = asking();
    let find = |exchange: u32, now: Duration| Event::Ask {
        exchange,
        ask: Box::new(Ask {
            about: Subject::Request,
            number: u64::from(exchange) + 1000,
            binding: "name".to_owned(),
            finds: true,
            asker: "a".to_owned(),
            question: b"find".to_vec().into(),
            deadline: now + seconds(25),
        }),
    };
    let now = kept.now;
    kept.handle(find(1, now));
    kept.handle(find(2, now));
    let ask = kept.called();
    assert_eq!(http(&ask), ("POST", "/v1/answers", "find".to_owned()));
    let found =
        |state: &str| json!({"id": "apr_1", "binding": "b", "state": state, "request": "name"});
    kept.answer(&ask, Some((200, &found("pending"))));
    let (calls, heard) = kept.step();
    assert_eq!(states(&heard), [State::Pending, State::Pending]);
    let path = "/v1/approvals/apr_1?wait=20&asker=a";
    assert_eq!(http(&calls[0]).1, path);
    // What is waited for is bound to the answer, not to the name.
    kept.says(&calls[0], "b", "apr_1", "approved");
    let (_, heard) = kept.step();
    assert_eq!(
        (who(&heard), states(&heard)),
        (vec![1], vec![State::Approved])
    );
    let Decision::Answer(told) = &heard[0].1 else {
        panic!("{heard:?}");
    };
    assert_eq!(told.binding, "b");
    // The other one looks once more, and finds nothing.
    kept.now += seconds(1);
    let again = kept.called();
    assert_eq!(http(&again).1, "/v1/answers");
    kept.answer(&again, Some((404, &json!({}))));
    let (_, heard) = kept.step();
    assert_eq!(heard, [(2, Decision::Nothing)]);
}

#[test]
fn a_question_is_asked_with_the_next_tick_and_then_waited_for() {
    let mut kept = asking();
    let ask = Ask {
        about: Subject::Request,
        number: 1001,
        binding: "b".to_owned(),
        finds: false,
        asker: "a".to_owned(),
        question: b"what".to_vec().into(),
        deadline: kept.now + seconds(25),
    };
    let effects = kept.handle(Event::Ask {
        exchange: 1,
        ask: Box::new(ask),
    });
    assert_eq!(effects, [every(1)]);
    let ask = kept.called();
    assert_eq!(http(&ask), ("POST", "/v1/approvals", "what".to_owned()));
    assert_eq!(ask.timeout, seconds(2));
    kept.says(&ask, "b", "apr_1", "pending");
    let (calls, heard) = kept.step();
    assert_eq!(states(&heard), [State::Pending]);
    let path = "/v1/approvals/apr_1?wait=20&asker=a";
    assert_eq!(http(&calls[0]), ("GET", path, String::new()));
    assert_eq!(calls[0].timeout, seconds(22));
    let Message::Http { headers, .. } = &calls[0].message else {
        panic!("{calls:?}");
    };
    assert!(headers.contains(&("authorization", "Bearer a-key-of-the-filter".to_owned())));
    // Nothing is left behind.
    kept.says(&calls[0], "b", "apr_1", "approved");
    assert_eq!(states(&kept.heard()), [State::Approved]);
    kept.now += seconds(60);
    assert_eq!(kept.step(), (vec![], vec![]));
}

#[test]
fn a_thousand_and_two_hundred_with_the_same_question_ask_once_and_wait_once() {
    let mut kept = asking();
    let all: Vec<u32> = (0..1200).collect();
    let poll = kept.polled(&all);
    // One that comes later joins them, and learns what they know.
    kept.ask(5000, "b");
    let heard = kept.heard();
    assert_eq!(
        (who(&heard), states(&heard)),
        (vec![5000], vec![State::Pending])
    );
    // Another's question is not in their way.
    kept.ask(6000, "other");
    let other = kept.called();
    kept.says(&other, "other", "apr_2", "approved");
    assert_eq!(who(&kept.heard()), [6000]);
    // All are denied at once: a host performs a few thousand effects of one event, and no more.
    kept.says(&poll, "b", "apr_1", "denied");
    let mut heard = kept.heard();
    assert_eq!(heard.len(), 1024);
    assert_eq!(kept.keeper.pace(kept.now), None, "the next tick is due");
    heard.extend(kept.heard());
    assert_eq!(heard.len(), 1201);
    assert!(states(&heard).iter().all(|state| *state == State::Denied));
    kept.now += seconds(60);
    assert_eq!(kept.step(), (vec![], vec![]));
}

#[test]
fn an_approval_is_told_to_as_many_as_it_is_good_for_and_asked_for_once_more_for_the_others() {
    let mut kept = asking();
    let poll = kept.polled(&[3, 1, 2]);
    kept.says(&poll, "b", "apr_1", "approved");
    let heard = kept.heard();
    assert_eq!(
        (who(&heard), states(&heard)),
        (vec![1], vec![State::Approved])
    );
    assert_eq!(kept.step(), (vec![], vec![]), "not within a second");
    kept.now += seconds(1);
    let ask = kept.called();
    assert_eq!(http(&ask).1, "/v1/approvals");
    // One with two uses.
    let answer = json!({
        "id": "apr_2", "binding": "b", "state": "approved",
        "grant": {"left_ms": 1000, "uses_left": 2},
    });
    kept.answer(&ask, Some((200, &answer)));
    assert_eq!(who(&kept.heard()), [2, 3]);

    // One that lasts for a time is for all of them.
    let mut kept = asking();
    let poll = kept.polled(&[1, 2, 3]);
    let answer = json!({
        "id": "apr_1", "binding": "b", "state": "approved",
        "grant": {"left_ms": 1000, "uses_left": null},
    });
    kept.answer(&poll, Some((200, &answer)));
    assert_eq!(who(&kept.heard()), [1, 2, 3]);
}

#[test]
fn what_is_over_is_asked_for_once_more_and_then_over() {
    for state in ["used", "expired", "revoked"] {
        let mut kept = asking();
        let poll = kept.polled(&[1]);
        kept.says(&poll, "b", "apr_1", state);
        assert_eq!(kept.heard(), []);
        kept.now += seconds(1);
        let ask = kept.called();
        assert_eq!(http(&ask).1, "/v1/approvals");
        kept.says(&ask, "b", "apr_2", "pending");
        let (calls, heard) = kept.step();
        assert_eq!(states(&heard), [State::Pending]);
        // A service that knows nothing of it any more says so with 404.
        kept.answer(&calls[0], Some((404, &json!({}))));
        kept.now += seconds(1);
        let ask = kept.called();
        kept.says(&ask, "b", "apr_2", state);
        assert_eq!(states(&kept.heard()), [State::Gone], "{state}");
    }
}

#[test]
fn polls_pace_themselves_whatever_the_service_says() {
    // It says at once that nobody has decided.
    let mut kept = asking();
    let poll = kept.polled(&[1]);
    kept.says(&poll, "b", "apr_1", "pending");
    let mut polls = 1;
    for _ in 0..20_000 {
        kept.now += Duration::from_millis(1);
        let (calls, heard) = kept.step();
        assert_eq!(heard, []);
        for poll in calls {
            kept.says(&poll, "b", "apr_1", "pending");
            polls += 1;
        }
    }
    assert_eq!(polls, 21, "in 20 seconds");

    // One that took its time is followed by another at once.
    let mut kept = asking();
    let poll = kept.polled(&[1]);
    kept.now += seconds(20);
    kept.says(&poll, "b", "apr_1", "pending");
    let poll = kept.called();
    assert_eq!(http(&poll).1, "/v1/approvals/apr_1?wait=5&asker=asker1");
}

#[test]
fn an_answer_for_another_approval_is_none() {
    let mut kept = asking();
    let poll = kept.polled(&[1]);
    kept.says(&poll, "b", "apr_2", "approved");
    assert_eq!(kept.heard(), []);
    kept.now += seconds(1);
    let poll = kept.called();
    kept.says(&poll, "c", "apr_1", "approved");
    assert_eq!(kept.heard(), []);
}
