//! Questions that exchanges share.

use core::time::Duration;

use serde_json::{Value, json};

use super::{Kept, every, with};
use crate::approval::{Decision, State, Subject, Trouble};
use crate::call::{Answer, Message};
use crate::exchange::{Ask, CompiledPolicy};
use crate::keeper::{Call, Effect, Event, Purpose, Told};
use crate::metric::Metric;
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
fn a_question_is_asked_with_the_next_tick_and_then_waited_for() {
    let mut kept = asking();
    let ask = Ask {
        about: Subject::Request,
        number: 1001,
        binding: "b".to_owned(),
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

#[test]
fn each_exchange_has_its_own_deadline_and_the_last_one_cancels() {
    let mut kept = asking();
    kept.ask_for(1, "b", 5);
    kept.ask_for(2, "b", 10);
    let ask = kept.called();
    kept.says(&ask, "b", "apr_1", "pending");
    let (calls, _) = kept.step();
    assert_eq!(
        http(&calls[0]).1,
        "/v1/approvals/apr_1?wait=10&asker=asker1"
    );
    let late = |exchange| (exchange, Decision::Late("apr_1".to_owned()));
    kept.now += seconds(5);
    assert_eq!(kept.heard(), [late(1)]);
    kept.now += seconds(5);
    let (calls, heard) = kept.step();
    assert_eq!(heard, [late(2)]);
    let cancel = json!({"asker": "asker1"}).to_string();
    assert_eq!(
        http(&calls[0]),
        ("POST", "/v1/approvals/apr_1/cancel", cancel)
    );
    assert_eq!(calls[0].purpose, Purpose::Post { letter: None });
}

#[test]
fn when_the_last_client_leaves_the_question_is_cancelled() {
    let mut kept = asking();
    let poll = kept.polled(&[1, 2]);
    assert_eq!(kept.keeper.forget(1), []);
    assert_eq!(kept.keeper.forget(2), [every(1)]);
    let cancel = kept.called();
    assert_eq!(http(&cancel).1, "/v1/approvals/apr_1/cancel");
    // What is said then is for nobody.
    kept.says(&poll, "b", "apr_1", "approved");
    assert_eq!(kept.step(), (vec![], vec![]));

    // One who leaves while it is being asked has it cancelled once it has an id.
    kept.ask(3, "b");
    let ask = kept.called();
    kept.keeper.forget(3);
    assert_eq!(kept.step(), (vec![], vec![]));
    kept.says(&ask, "b", "apr_1", "pending");
    let cancel = kept.called();
    assert_eq!(http(&cancel).1, "/v1/approvals/apr_1/cancel");

    // Who is told something has gone from the question.
    let poll = kept.polled(&[4]);
    kept.says(&poll, "b", "apr_1", "approved");
    kept.keeper.forget(4);
    assert_eq!(
        kept.step(),
        (vec![], vec![]),
        "an approval is not cancelled"
    );
}

#[test]
fn who_leaves_and_comes_back_takes_no_more_calls_than_there_are_places() {
    let mut kept = asking();
    let most = 2 * usize::try_from(kept.compiled.policy().limits.waiting.total).unwrap() + 64;
    let mut under_way = 0;
    let mut short = false;
    for exchange in 0..20_000 {
        kept.ask(exchange, "b");
        let (calls, _) = kept.step();
        for call in calls
            .iter()
            .filter(|call| !matches!(call.purpose, Purpose::Post { .. }))
        {
            match http(call).0 {
                "POST" => kept.says(call, "b", "apr_1", "pending"),
                _ => {
                    short |= http(call).1.contains("wait=1&");
                    under_way += 1;
                }
            }
        }
        let (calls, _) = kept.step();
        let polls = calls.iter().filter(|call| http(call).0 == "GET");
        for poll in polls {
            short |= http(poll).1.contains("wait=1&");
            under_way += 1;
        }
        kept.keeper.forget(exchange);
        let post = Purpose::Post { letter: None };
        for _ in 0..2 {
            let answer = Answer::Failed;
            kept.handle(Event::CallAnswered {
                purpose: post,
                answer,
            });
        }
    }
    assert!(under_way <= most, "{under_way}");
    assert!(short, "polls are short where many are for nobody");
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
