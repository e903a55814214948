//! Requests that wait for keys.

use core::time::Duration;
use std::rc::Rc;

use serde_json::json;

use super::{Driven, NOW, code, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow};
use crate::identity::KeyAnswer;
use crate::testing::{Memory, ec_public};

fn fetching() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks_uri": {"uri": "https://idp/keys", "cluster": "idp"}},
        }]},
        "upstream": {"credential": {"header": "authorization", "value": "Bearer ${KEY}"}},
        "rules": [{"name": "small", "when": {"items": {"over": 0}}, "then": "allow"}],
    }))
}

fn give_keys(compiled: &CompiledPolicy) {
    let memory = &Memory::default();
    compiled.join(memory, &|| None).unwrap();
    let now = Duration::from_secs(NOW);
    assert_eq!(compiled.tend_keys(now, memory).requests.len(), 1);
    let keys = json!({"keys": [ec_public(1, "a")]}).to_string();
    let answer = Ok(Some(KeyAnswer {
        status: 200,
        coding: b"",
        body: keys.as_bytes(),
    }));
    assert!(compiled.keys_answered(0, answer, now, memory).renewed);
}

#[test]
fn nothing_is_looked_after_where_no_keys_are_fetched() {
    assert!(fetching().fetches_keys());
    let drawn = compiled(&json!({
        "masks": {"pii": {"detect": ["email"], "style": "pseudonym"}},
        "quotas": {"calls": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1m"}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"], "quota": ["calls"]}],
    }));
    assert!(!drawn.fetches_keys());
}

#[test]
fn a_request_waits_for_keys_with_its_body() {
    let compiled = fetching();
    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.chat();
    assert_eq!(outcome.effects, [Effect::WantKeys]);
    assert_eq!(outcome.flow, Flow::Hold);
    let grows = exchange.handle(Event::RequestPiece {
        held: 10,
        end: false,
    });
    assert_eq!((grows.effects, grows.flow), (vec![], Flow::Hold));

    give_keys(&compiled);
    let renewed = exchange.handle(Event::KeysRenewed);
    assert_eq!(renewed.flow, Flow::Hold, "the rule asks for the body");
    assert!(renewed.effects.contains(&Effect::SetRequestHeader {
        name: "authorization".to_owned(),
        value: "Bearer service-key".to_owned(),
    }));
    let body = br#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let whole = exchange.handle(Event::RequestWhole { body });
    assert_eq!((whole.effects, whole.flow), (vec![], Flow::Continue));
    assert_eq!(exchange.record()["identity"]["subject"], "jane");
}

#[test]
fn a_request_does_not_wait_for_ever() {
    let compiled = fetching();
    let mut exchange = Driven::new(&compiled);
    exchange.chat();
    exchange.now += Duration::from_secs(5);
    let outcome = exchange.handle(Event::KeysRenewed);
    assert_eq!(reply(&outcome).status, 503);
    assert_eq!(code(&outcome), "keys_unavailable");
    assert!(
        reply(&outcome)
            .headers
            .contains(&("retry-after", "1".to_owned()))
    );
    assert_eq!(exchange.record()["verdict"]["code"], "keys_unavailable");
}

#[test]
fn a_waiting_body_is_bounded() {
    let compiled = fetching();
    let mut exchange = Driven::new(&compiled);
    exchange.chat();
    let outcome = exchange.handle(Event::RequestPiece {
        held: 100 << 20,
        end: false,
    });
    assert_eq!(reply(&outcome).status, 413);
}

#[test]
fn without_a_place_to_wait_a_request_is_refused_at_once() {
    let compiled = fetching();
    let mut exchange = Driven::new(&compiled);
    exchange.may_wait = false;
    let outcome = exchange.chat();
    assert_eq!(code(&outcome), "keys_unavailable");
}

#[test]
fn new_keys_are_nothing_to_a_request_that_waits_for_none() {
    let compiled = compiled(&json!({}));
    let mut exchange = Driven::new(&compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    let outcome = exchange.handle(Event::KeysRenewed);
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Hold));
}
