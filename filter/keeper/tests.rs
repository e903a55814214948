mod questions;
mod standing;

use core::time::Duration;
use std::rc::Rc;

use base::code::Code;
use serde_json::{Value, json};

use super::{Effect, Event, Keeper, Level, Purpose, Told, World};
use crate::call::{Answer, Call, Message, Post};
use crate::exchange::{Bodies, CompiledPolicy};
use crate::metric::Metric;
use crate::testing::{Memory, ec_public};

struct Kept {
    compiled: Rc<CompiledPolicy>,
    keeper: Keeper,
    shared: Memory,
    now: Duration,
}

/// A keeper whose keys come from a provider, or from the policy.
fn kept(fetches: bool) -> Kept {
    if fetches {
        with_keys(&json!({"jwks_uri": {"uri": "https://idp/keys", "cluster": "idp"}}))
    } else {
        with_keys(&json!({"jwks": {"keys": [ec_public(1, "a")]}}))
    }
}

fn with_keys(keys: &Value) -> Kept {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [
            {"name": "corp", "issuer": "https://idp", "audiences": ["inference"], "keys": keys},
        ]},
        "rules": [{"name": "all", "then": "allow"}],
    });
    with(CompiledPolicy::load(&policy.to_string(), &|_| None).unwrap())
}

fn with(compiled: CompiledPolicy) -> Kept {
    let shared = Memory::default();
    compiled.join(&shared, &|| Some([9; 32])).unwrap();
    let compiled = Rc::new(compiled);
    Kept {
        keeper: Keeper::new(Rc::clone(&compiled), "0123456789abcdef".into()),
        compiled,
        shared,
        now: Duration::from_secs(1_800_000_000),
    }
}

impl Kept {
    fn handle(&mut self, event: Event<'_>) -> Vec<Effect> {
        let world = World {
            now: self.now,
            shared: &self.shared,
        };
        self.keeper.handle(event, world)
    }

    /// What there is to do from the start, but for metrics.
    fn start(&mut self) -> Vec<Effect> {
        let mut effects = self.handle(Event::Started);
        effects.retain(|effect| !matches!(effect, Effect::Change(..)));
        effects
    }

    /// A tick with all that belongs to it.
    fn tick(&mut self) -> Vec<Effect> {
        let mut effects = self.handle(Event::Tick);
        effects.extend(self.keeper.pace(self.now));
        effects
    }

    fn wake(&mut self, exchange: u32, milliseconds: u64) -> Vec<Effect> {
        let at = self.now + Duration::from_millis(milliseconds);
        self.handle(Event::WakeAt { exchange, at })
    }
}

fn every(milliseconds: u64) -> Effect {
    Effect::TickEvery(Some(Duration::from_millis(milliseconds)))
}

const NEVER: Effect = Effect::TickEvery(None);

fn tell(exchange: u32, what: Told) -> Effect {
    Effect::Tell { exchange, what }
}

#[test]
fn without_anything_to_do_there_are_no_ticks() {
    let mut kept = kept(false);
    kept.start();
    assert_eq!(kept.tick(), []);
}

#[test]
fn what_a_policy_says_in_vain_is_logged_once_when_it_comes_into_use() {
    let mut kept = with_keys(&json!({"jwks": {"keys": [ec_public(1, "a"), {"kty": "AKP"}]}}));
    let logs = |effects: Vec<Effect>| -> Vec<(Level, String)> {
        let log = |effect| match effect {
            Effect::Log { level, line } => Some((level, line)),
            _ => None,
        };
        effects.into_iter().filter_map(log).collect()
    };
    let told = logs(kept.handle(Event::Started));
    let [(Level::Warn, line)] = told.as_slice() else {
        panic!("one warning: {told:?}");
    };
    let place = "policy: /identity/providers/0/keys/jwks/keys/1: found a key of kind \"AKP\"";
    assert!(line.starts_with(place), "{line}");
    assert_eq!(logs(kept.tick()), []);
}

#[test]
fn a_policy_is_told_with_its_digest_as_long_as_it_is_in_use() {
    let mut kept = kept(false);
    let digest = kept.compiled.policy().digest.clone();
    let vms = |by| {
        let digest = digest.clone();
        Effect::Change(Metric::PolicyVms { digest }, by)
    };
    let nothing_held = Effect::Change(Metric::BufferedBytes, 0);
    assert_eq!(kept.handle(Event::Started), [vms(1), nothing_held]);
    // What was counted since the last tick is not lost.
    let counted = Metric::TokensRefused {
        code: Code::TokenExpired,
    };
    kept.handle(Event::Counted(counted.clone(), 3));
    let effects = kept.handle(Event::Ended);
    assert_eq!(effects, [Effect::Change(counted.clone(), 3), vms(-1)]);
    // Streams that end later are told of at once, since no tick may come.
    let effects = kept.handle(Event::Counted(counted.clone(), 1));
    assert_eq!(effects, [Effect::Change(counted, 1)]);
    let _held = kept.compiled.hold(7);
    assert!(!kept.keeper.wants_to_tell_buffers());
    kept.handle(Event::Buffered);
    assert_eq!(kept.handle(Event::Tick), []);
}

#[test]
fn what_is_held_of_bodies_is_told_once_a_second_while_there_is_some() {
    let mut kept = kept(false);
    kept.start();
    let change = |by| Effect::Change(Metric::BufferedBytes, by);
    assert!(!kept.keeper.wants_to_tell_buffers());
    let held = kept.compiled.hold(1000);
    assert!(kept.keeper.wants_to_tell_buffers());
    assert_eq!(kept.handle(Event::Buffered), [every(1000)]);
    assert!(!kept.keeper.wants_to_tell_buffers());
    assert_eq!(kept.tick(), [change(1000)]);
    let more = kept.compiled.hold(500);
    assert_eq!(kept.tick(), [change(500)]);
    assert_eq!(kept.tick(), []);
    drop((held, more));
    assert_eq!(kept.tick(), [change(-1500), NEVER]);

    // What another configuration takes over is told by its own keeper.
    let _held = kept.compiled.hold(7);
    kept.handle(Event::Buffered);
    kept.tick();
    let effects = kept.handle(Event::Ended);
    assert_eq!(effects.first(), Some(&change(-7)));
}

#[test]
fn each_exchange_is_woken_once_at_the_earliest_of_its_times_and_in_their_order() {
    let mut kept = kept(false);
    assert_eq!(kept.wake(7, 30), [every(30)]);
    assert_eq!(kept.wake(8, 20), [every(20)]);
    assert_eq!(kept.wake(7, 40), []);
    assert_eq!(kept.wake(9, 0), [every(1)]);
    assert_eq!(kept.wake(7, 10), []);
    assert_eq!(kept.tick(), [tell(9, Told::Tick), every(10)]);
    kept.now += Duration::from_millis(20);
    let woken = [tell(7, Told::Tick), tell(8, Told::Tick), NEVER];
    assert_eq!(kept.tick(), woken);
}

#[test]
fn an_exchange_that_has_ended_is_told_nothing() {
    let mut kept = kept(true);
    kept.wake(7, 0);
    kept.handle(Event::KeysWanted { exchange: 7 });
    kept.keeper.forget(7);
    let told = |effect: &Effect| matches!(effect, Effect::Tell { .. });
    assert!(!kept.tick().iter().any(told));
    let keys = json!({"keys": [ec_public(1, "a")]}).to_string();
    kept.handle(Event::CallAnswered {
        purpose: Purpose::Keys { provider: 0 },
        answer: Answer::Http {
            status: 200,
            coding: b"",
            body: keys.as_bytes(),
        },
    });
    assert!(!kept.tick().iter().any(told));
}

#[test]
fn everybody_who_waits_for_keys_is_told_once_they_are_there() {
    let mut kept = kept(true);
    assert_eq!(kept.start(), [every(1)]);
    assert_eq!(kept.handle(Event::KeysWanted { exchange: 7 }), []);
    kept.handle(Event::KeysWanted { exchange: 8 });
    kept.handle(Event::KeysWanted { exchange: 7 });
    let effects = kept.tick();
    let purpose = Purpose::Keys { provider: 0 };
    let [Effect::Call(call), Effect::TickEvery(_)] = effects.as_slice() else {
        panic!("the keys are asked for: {effects:?}");
    };
    assert_eq!((call.purpose, call.cluster.as_str()), (purpose, "idp"));
    let keys = json!({"keys": [ec_public(1, "a")]}).to_string();
    let answer = Answer::Http {
        status: 200,
        coding: b"",
        body: keys.as_bytes(),
    };
    kept.handle(Event::CallAnswered { purpose, answer });
    let told = [tell(7, Told::KeysRenewed), tell(8, Told::KeysRenewed)];
    assert!(kept.tick().starts_with(&told));
    assert!(!kept.tick().contains(&told[0]));
}

#[test]
fn only_so_many_wait_for_keys() {
    let mut kept = kept(true);
    for exchange in 0..512 {
        assert!(kept.keeper.has_room());
        kept.handle(Event::KeysWanted { exchange });
    }
    assert!(!kept.keeper.has_room());
    kept.keeper.forget(3);
    assert!(kept.keeper.has_room());
}

#[test]
fn what_one_exchange_finds_out_of_bodies_holds_for_all_and_is_said_once() {
    let mut kept = kept(false);
    assert_eq!(kept.keeper.bodies(), Bodies::Unknown);
    let said = kept.handle(Event::Bodies(Bodies::Withheld));
    assert!(
        matches!(said.as_slice(), [Effect::Log { line, .. }] if line.contains("allow_on_headers_stop_iteration"))
    );
    assert_eq!(kept.handle(Event::Bodies(Bodies::Withheld)), []);
    assert_eq!(kept.handle(Event::Bodies(Bodies::HandedOver)), []);
    assert_eq!(kept.keeper.bodies(), Bodies::Withheld);
}

fn message(number: u64) -> Event<'static> {
    Event::Post(Call {
        purpose: Post::Once,
        number,
        cluster: "desk".to_owned(),
        authority: None,
        message: Message::Http {
            method: "POST",
            scheme: None,
            path: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        },
        timeout: Duration::from_secs(1),
        max_answer_bytes: 0,
    })
}

#[test]
fn what_nobody_waits_for_goes_with_the_next_tick_so_many_at_once_and_no_more_than_that_wait() {
    let mut kept = kept(false);
    assert_eq!(kept.handle(message(0)), [every(1)]);
    for number in 1..1024 {
        assert_eq!(kept.handle(message(number)), []);
    }
    let dropped = kept.handle(message(1024));
    assert!(matches!(dropped.as_slice(), [Effect::Log { .. }]));
    assert_eq!(kept.handle(message(1025)), [], "it is said once");

    let calls = |effects: &[Effect]| {
        let call = |effect: &&Effect| matches!(effect, Effect::Call(_));
        effects.iter().filter(call).count()
    };
    assert_eq!(calls(&kept.tick()), 64);
    assert_eq!(calls(&kept.tick()), 0);
    for answer in [
        Answer::NotSent,
        Answer::Failed,
        Answer::Http {
            status: 500,
            coding: b"",
            body: b"",
        },
    ] {
        let purpose = Purpose::Post { letter: None };
        kept.handle(Event::CallAnswered { purpose, answer });
    }
    assert_eq!(calls(&kept.tick()), 3);
}

#[test]
fn a_configuration_out_of_use_is_done_once_what_must_arrive_has() {
    let mut kept = kept(false);
    kept.handle(message(0));
    assert!(!kept.keeper.is_done(), "it is in use");
    let calls = kept
        .handle(Event::Ended)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Call(call) => Some(call.purpose),
            _ => None,
        });
    let purposes: Vec<_> = calls.collect();
    assert_eq!(purposes.len(), 1);
    assert!(!kept.keeper.is_done(), "it is under way");
    let (purpose, answer) = (purposes[0], Answer::NotSent);
    kept.handle(Event::CallAnswered { purpose, answer });
    assert!(kept.keeper.is_done());
}

fn must_arrive() -> Event<'static> {
    let Event::Post(call) = message(0) else {
        panic!("a message");
    };
    Event::Post(Call {
        purpose: Post::UntilTaken,
        ..call
    })
}

#[test]
fn at_the_end_all_that_waits_to_be_sent_is() {
    let mut kept = kept(false);
    kept.handle(must_arrive());
    let failed = kept.tick().into_iter().find_map(|effect| match effect {
        Effect::Call(call) => Some(call.purpose),
        _ => None,
    });
    let purpose = failed.unwrap();
    let answer = Answer::NotSent;
    kept.handle(Event::CallAnswered { purpose, answer });
    // One would be sent again in a second, the other with the next tick.
    kept.handle(message(1));
    kept.now = Duration::ZERO;
    let sent = kept.handle(Event::Ended);
    let calls = sent.iter().filter(|one| matches!(one, Effect::Call(_)));
    assert_eq!(calls.count(), 2, "{sent:?}");
    let again = kept.handle(Event::Ended);
    assert!(!again.iter().any(|one| matches!(one, Effect::Call(_))));
}

#[test]
fn what_must_arrive_is_sent_again_until_it_is_taken() {
    let mut kept = kept(false);
    kept.handle(must_arrive());
    let sent = |kept: &mut Kept| {
        let purposes = kept.tick().into_iter().filter_map(|effect| match effect {
            Effect::Call(call) => Some(call.purpose),
            _ => None,
        });
        purposes.collect::<Vec<_>>()
    };
    let status = |status| Answer::Http {
        status,
        coding: b"",
        body: b"",
    };
    let mut pause = 1;
    for answer in [Answer::NotSent, Answer::Failed, status(503)] {
        let purposes = sent(&mut kept);
        let purpose = purposes[0];
        assert!(matches!(purpose, Purpose::Post { letter: Some(_) }));
        kept.handle(Event::CallAnswered { purpose, answer });
        assert_eq!(sent(&mut kept), [], "not at once");
        kept.now += Duration::from_secs(pause);
        pause *= 2;
    }
    let purpose = sent(&mut kept)[0];
    let answer = status(404);
    kept.handle(Event::CallAnswered { purpose, answer });
    kept.now += Duration::from_secs(3600);
    assert_eq!(sent(&mut kept), [], "what is wrong with it stays wrong");
}

#[test]
fn records_are_numbered_from_one() {
    let mut kept = kept(false);
    let numbers = [(); 3].map(|()| kept.keeper.number_record());
    assert_eq!(numbers, [1, 2, 3]);
}

fn recorded() -> Kept {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [
            {"name": "corp", "issuer": "https://idp", "audiences": ["inference"],
             "keys": {"jwks": {"keys": [ec_public(1, "a")]}}},
        ]},
        "sessions": {"desk": {"cluster": "desk", "credential": "Bearer ${KEY}"}},
        "rules": [{"name": "all", "then": "allow"}],
    });
    let environment = |_: &str| Some("a-key-of-the-filter".to_owned());
    let compiled = CompiledPolicy::load(&policy.to_string(), &environment).unwrap();
    with(compiled)
}

impl Kept {
    /// Gives this many numbers, as the host does.
    fn number(&mut self, count: usize) -> Vec<Effect> {
        for _ in 0..count {
            self.keeper.number_record();
        }
        match self.keeper.wants_to_tell_numbers() {
            true => self.handle(Event::Numbered),
            false => Vec::new(),
        }
    }

    fn numbers_answered(&mut self, answer: Option<u16>) {
        let answer = answer.map_or(Answer::Failed, |status| Answer::Http {
            status,
            coding: b"",
            body: b"{}",
        });
        let purpose = Purpose::Numbers;
        self.handle(Event::CallAnswered { purpose, answer });
    }
}

/// The numbers that are posted.
fn posted(effects: &[Effect]) -> Vec<String> {
    let calls = effects.iter().filter_map(|effect| match effect {
        Effect::Call(call) => Some(call),
        _ => None,
    });
    calls
        .map(|call| match &call.message {
            Message::Http {
                method,
                path,
                headers,
                body,
                ..
            } => {
                assert_eq!((*method, path.as_str()), ("POST", "/v1/numbers"));
                assert!(
                    headers.contains(&("authorization", "Bearer a-key-of-the-filter".to_owned()))
                );
                String::from_utf8(body.clone()).unwrap()
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

fn post(number: u64) -> Vec<String> {
    vec![format!(
        r#"{{"worker":"0123456789abcdef","number":{number}}}"#
    )]
}

#[test]
fn the_recorder_is_told_the_highest_number_each_second() {
    let mut kept = recorded();
    kept.start();
    kept.number(3);
    assert_eq!(posted(&kept.tick()), [""; 0]);
    kept.now += Duration::from_millis(1000);
    assert_eq!(posted(&kept.tick()), post(3));
    // One at a time, and nothing twice.
    assert_eq!(kept.number(2), []);
    kept.now += Duration::from_secs(5);
    assert_eq!(posted(&kept.tick()), [""; 0]);
    kept.numbers_answered(Some(200));
    kept.now += Duration::from_millis(1000);
    assert_eq!(posted(&kept.tick()), post(5));
    kept.numbers_answered(Some(200));
    kept.now += Duration::from_secs(5);
    assert_eq!(posted(&kept.tick()), [""; 0]);
    assert!(!kept.keeper.wants_to_tell_numbers());
}

#[test]
fn a_number_that_did_not_arrive_is_told_again() {
    for failed in [None, Some(503), Some(404)] {
        let mut kept = recorded();
        kept.start();
        kept.number(1);
        kept.now += Duration::from_secs(1);
        assert_eq!(posted(&kept.tick()), post(1));
        kept.number(1);
        kept.numbers_answered(failed);
        assert_eq!(posted(&kept.tick()), [""; 0]);
        kept.now += Duration::from_secs(1);
        assert_eq!(posted(&kept.tick()), post(2));
    }
}

#[test]
fn without_a_recorder_nothing_is_told() {
    let mut kept = kept(false);
    kept.start();
    assert_eq!(kept.number(3), []);
    kept.now += Duration::from_secs(5);
    assert_eq!(posted(&kept.tick()), [""; 0]);
}
