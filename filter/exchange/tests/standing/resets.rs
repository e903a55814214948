//! Counts that are emptied since a person says so.

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{now, usual};
use crate::exchange::tests::{Driven, compiled, token};
use crate::exchange::{CompiledPolicy, Flow};

/// The desk says that counts of these are to be emptied; gives which were.
fn resets(compiled: &CompiledPolicy, driven: &Driven, now: Duration, list: &Value) -> Vec<String> {
    let (poll, _) = compiled.poll_standing(now);
    let answer = json!({
        "revision": "r1", "lease_ms": 2000, "grants": [], "blocks": [], "resets": list,
    });
    let answer = answer.to_string();
    compiled
        .take_standing(answer.as_bytes(), poll, now)
        .unwrap();
    let emptied = compiled.reset_counts(now, &*driven.store);
    emptied.into_iter().map(|(_, id)| id).collect()
}

fn counted(key: &[&str]) -> Value {
    json!([{"id": "rst_1", "quota": "few", "key": key, "left_ms": 60_000}])
}

#[test]
fn a_count_is_emptied_by_the_key_that_its_record_tells_and_by_one_worker() {
    let compiled = usual();
    let first = Driven::new(&compiled);
    let store = Rc::clone(&first.store);
    // Another worker of the same Envoy.
    let other = usual();
    other.join(&*store, &|| None).unwrap();
    let list = |compiled: &Rc<CompiledPolicy>, subject: &str| {
        let mut exchange = Driven::alone(compiled);
        exchange.store = Rc::clone(&store);
        let bearer = format!("Bearer {}", token(subject, &[]));
        let head = exchange.head("GET", "/v1/models", &[("authorization", &bearer)], true);
        let key = exchange.record()["verdict"]["charges"][0]["key"].clone();
        (head.flow == Flow::Continue, key)
    };
    for _ in 0..3 {
        assert!(list(&compiled, "jane").0 && list(&other, "bob").0);
    }
    assert!(!list(&compiled, "jane").0);
    let told = json!(["subject", "corp", "bob"]);
    resets(
        &compiled,
        &first,
        now(),
        &json!([{"id": "rst_0", "quota": "few", "key": told, "left_ms": 1000}]),
    );
    let (passes, key) = list(&compiled, "bob");
    assert!(passes);
    assert_eq!(key, told);

    assert!(!list(&compiled, "jane").0, "another one's");
    let key = ["subject", "corp", "jane"];
    assert_eq!(resets(&compiled, &first, now(), &counted(&key)), ["rst_1"]);
    assert_eq!(compiled.reset_counts(now(), &*store), []);
    assert!(list(&other, "jane").0);
    assert_eq!(resets(&other, &first, now(), &counted(&key)), [""; 0]);
    assert_eq!(resets(&compiled, &first, now(), &counted(&key)), [""; 0]);
    assert!(list(&compiled, "jane").0 && list(&other, "jane").0);
    assert!(!list(&other, "jane").0);
}

#[test]
fn what_is_in_flight_or_counted_nowhere_is_not_emptied() {
    let compiled = compiled(&json!({
        "approvals": {"cluster": "desk"},
        "quotas": {"once": {"by": ["subject"], "count": "in_flight", "limit": 1}},
        "rules": [{"name": "all", "then": "allow", "quota": ["once"]}],
    }));
    let driven = Driven::new(&compiled);
    let mut exchange = Driven::alone(&compiled);
    exchange.store = Rc::clone(&driven.store);
    assert_eq!(
        exchange.head("GET", "/v1/models", &[], true).flow,
        Flow::Continue
    );
    let before = driven.store.values();
    let all = json!([
        {"id": "rst_1", "quota": "once", "key": ["subject", "corp", "jane"], "left_ms": 60_000},
        {"id": "rst_2", "quota": "few", "key": ["subject", "corp", "jane"], "left_ms": 60_000},
    ]);
    assert_eq!(resets(&compiled, &driven, now(), &all), [""; 0]);
    assert_eq!(driven.store.values(), before);
    let charged = exchange.record()["verdict"]["charges"][0].clone();
    assert_eq!(
        (&charged["remaining"], &charged["until"]),
        (&json!(0), &Value::Null)
    );
}
