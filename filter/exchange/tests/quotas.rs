//! What is counted, by what, and when.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Came, Driven, NOW, bytes, code, compiled, token};
use crate::exchange::{
    Bodies, CompiledPolicy, Effect, Event, Flow, NoNative, NothingElse, Outcome, World,
};
use crate::metric::Metric;
use crate::shared::{Shared, SharedError};
use crate::testing::Memory;

/// A policy of these quotas, all of which each request is charged with.
fn policy(quotas: &Value) -> Rc<CompiledPolicy> {
    let names: Vec<&String> = quotas.as_object().unwrap().keys().collect();
    compiled(&json!({
        "quotas": quotas,
        "rules": [{"name": "all", "then": "allow", "quota": names}],
    }))
}

/// Exchanges of one Envoy.
struct Envoy {
    compiled: Rc<CompiledPolicy>,
    store: Rc<Memory>,
}

impl Envoy {
    fn of(quotas: &Value) -> Self {
        let compiled = policy(quotas);
        let store = Driven::new(&compiled).store;
        Self { compiled, store }
    }

    fn exchange(&self) -> Driven {
        let mut exchange = Driven::alone(&self.compiled);
        exchange.store = Rc::clone(&self.store);
        exchange
    }

    /// A request without a body, by somebody from somewhere.
    fn list(&self, (subject, groups): (&str, &[&str]), client: Option<&str>) -> (Driven, Outcome) {
        let mut exchange = self.exchange();
        exchange.came(Came {
            client: client.map(str::to_owned),
            ..Came::default()
        });
        let bearer = format!("Bearer {}", token(subject, groups));
        let outcome = exchange.head("GET", "/v1/models", &[("authorization", &bearer)], true);
        (exchange, outcome)
    }

    fn passes(&self, caller: (&str, &[&str]), client: Option<&str>) -> bool {
        self.list(caller, client).1.flow == Flow::Continue
    }

    fn embed(&self, model: &str, inputs: usize) -> (Driven, Outcome) {
        let mut exchange = self.exchange();
        let headers = [("content-type", "application/json")];
        let head = exchange.head("POST", "/v1/embeddings", &headers, false);
        assert_eq!(head.flow, Flow::Hold);
        let body = json!({"model": model, "input": vec!["x"; inputs]}).to_string();
        let outcome = exchange.whole(&body);
        (exchange, outcome)
    }

    fn written(&self) -> Vec<Vec<u8>> {
        let mut values = self.store.values();
        values.sort();
        values
    }
}

const JANE: (&str, &[&str]) = ("jane", &[]);

fn charges(exchange: &mut Driven) -> Value {
    exchange.record()["verdict"]["charges"].clone()
}

/// When a count of a window of so many seconds is empty again that was begun now, in milliseconds.
fn ring_end(per: u64) -> u64 {
    let step = per * 1000 / 12;
    let offset = NOW * 1000 % step;
    // What was taken last is known to a 256th of a sub-window.
    let part = offset * 256 / step;
    ((part + 1) * step).div_ceil(256) - 1 - offset + per * 1000
}

fn respond(exchange: &mut Driven, end: bool) {
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &bytes(&[(":status", "200")]),
        end,
    });
}

#[test]
fn a_refused_request_writes_nothing_whichever_quota_refuses_it() {
    let few =
        |limit: u64| json!({"by": ["subject"], "count": "items", "limit": limit, "per": "1h"});
    for limits in [[3, 50, 50], [50, 3, 50], [50, 50, 3]] {
        let envoy =
            Envoy::of(&json!({"a": few(limits[0]), "b": few(limits[1]), "c": few(limits[2])}));
        assert_eq!(envoy.embed("m", 2).1.flow, Flow::Continue);
        let before = envoy.written();
        let (mut refused, outcome) = envoy.embed("m", 2);
        assert_eq!(code(&outcome), "quota_exceeded");
        assert_eq!(charges(&mut refused), json!([]));
        assert_eq!(envoy.written(), before, "{limits:?}");
        assert_eq!(envoy.embed("m", 1).1.flow, Flow::Continue);
    }
}

/// Somebody else takes all of a quota just before this one's second change.
struct Raced<'a> {
    store: &'a Memory,
    changes: Cell<u32>,
    faster: &'a dyn Fn(),
}

impl Shared for Raced<'_> {
    fn make(&self, name: &str) -> Result<(), SharedError> {
        self.store.make(name)
    }

    fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
        self.store.get(name)
    }

    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError> {
        self.changes.set(self.changes.get() + 1);
        if self.changes.get() == 2 {
            (self.faster)();
        }
        self.store.compare_and_set(name, bytes, version)
    }
}

/// A request of Jane's, during which others work.
fn list_raced(exchange: &mut Driven, shared: &dyn Shared) -> Outcome {
    let bearer = format!("Bearer {}", token("jane", &[]));
    let headers = bytes(&[
        (":method", "GET"),
        (":path", "/v1/models"),
        (":authority", "models"),
        ("authorization", &bearer),
    ]);
    let world = World {
        now: Duration::from_secs(NOW),
        shared,
        native: &NoNative,
        may_wait: true,
        bodies: Bodies::Unknown,
        arrived: &NothingElse,
    };
    let event = Event::RequestHead {
        headers: &headers,
        end: true,
        cluster: None,
    };
    exchange.exchange.handle(event, world)
}

#[test]
fn what_was_taken_goes_back_when_others_are_faster() {
    let envoy = Envoy::of(&json!({
        "a": {"by": ["subject"], "count": "requests", "limit": 9, "per": "1h"},
        "b": {"by": ["constant:all"], "count": "requests", "limit": 1, "per": "1h"},
    }));
    let mut exchange = envoy.exchange();
    let raced = Raced {
        store: &envoy.store,
        changes: Cell::new(0),
        faster: &|| assert!(envoy.passes(("bob", &[]), None)),
    };
    let outcome = list_raced(&mut exchange, &raced);
    assert_eq!(code(&outcome), "quota_exceeded");
    assert_eq!(charges(&mut exchange), json!([]));
    // One for the first quota, one that failed for the second, one for what goes back.
    assert_eq!(raced.changes.get(), 3);
    let before = envoy.written();
    let (_, outcome) = envoy.list(JANE, None);
    assert_eq!(code(&outcome), "quota_exceeded");
    assert_eq!(envoy.written(), before);
}

#[test]
fn how_often_others_were_faster_is_counted() {
    let envoy = Envoy::of(&json!({
        "b": {"by": ["constant:all"], "count": "requests", "limit": 9, "per": "1h"},
    }));
    let raced = Raced {
        store: &envoy.store,
        changes: Cell::new(1),
        faster: &|| assert!(envoy.passes(("bob", &[]), None)),
    };
    let mut exchange = envoy.exchange();
    assert_eq!(list_raced(&mut exchange, &raced).flow, Flow::Continue);
    let closing = crate::exchange::Closing::default();
    let outcome = exchange.handle(Event::Closed {
        number: 1,
        closing: &closing,
    });
    let counted = Effect::Count(Metric::QuotaRetries, 1);
    assert!(outcome.effects.contains(&counted), "{outcome:?}");
}

#[test]
fn operators_are_told_how_near_to_its_limit_a_quota_is_and_which_one_refuses() {
    let envoy = Envoy::of(&json!({
        "few": {"by": ["subject"], "count": "requests", "limit": 10, "per": "1h"},
        "many": {"by": ["subject"], "count": "requests", "limit": 1000, "per": "1h"},
    }));
    let told = |exchange: &mut Driven| {
        let closing = crate::exchange::Closing::default();
        let event = Event::Closed {
            number: 1,
            closing: &closing,
        };
        let effects = exchange.handle(event).effects.into_iter();
        let counted = effects.filter_map(|effect| match effect {
            Effect::Count(metric, 1) => Some(metric.to_string()),
            _ => None,
        });
        let ours = |name: &String| {
            let name = name.strip_prefix("portcullis_quota_");
            name.is_some_and(|name| !name.starts_with("charged"))
        };
        counted.filter(ours).collect::<Vec<_>>()
    };
    for used in [50, 50, 50, 50, 50, 80, 80, 80, 95, 100] {
        let few = format!("portcullis_quota_used.quota=few.used={used}");
        let many = "portcullis_quota_used.quota=many.used=50".to_owned();
        assert_eq!(told(&mut envoy.list(JANE, None).0), [few, many]);
    }
    let refused = "portcullis_quota_refused.quota=few".to_owned();
    assert_eq!(told(&mut envoy.list(JANE, None).0), [refused]);
}

#[test]
fn callers_have_limits_of_their_own_and_are_counted_by_group() {
    let envoy = Envoy::of(&json!({"q": {
        "by": ["group"], "groups": ["red", "blue"], "count": "requests", "per": "1h",
        "limit": 1, "limits": [{"group": ["b*"], "limit": 2}],
    }}));
    let red: (&str, &[&str]) = ("ana", &["x", "red"]);
    let both: (&str, &[&str]) = ("bob", &["blue", "red"]);
    let blue: (&str, &[&str]) = ("cat", &["blue"]);
    let neither: (&str, &[&str]) = ("dan", &["green"]);
    assert!(envoy.passes(red, None));
    assert!(!envoy.passes(red, None));
    assert!(
        envoy.passes(both, None),
        "one more of the red, by a limit of two"
    );
    assert!(!envoy.passes(both, None));
    assert!(envoy.passes(blue, None) && envoy.passes(blue, None));
    assert!(!envoy.passes(blue, None));
    assert!(envoy.passes(neither, None));
    assert!(!envoy.passes(JANE, None), "all others are one");
}

#[test]
fn addresses_are_counted_by_what_one_client_has() {
    let envoy =
        Envoy::of(&json!({"q": {"by": ["address"], "count": "requests", "limit": 1, "per": "1h"}}));
    for (client, passes) in [
        (Some("192.0.2.1:50000"), true),
        (Some("192.0.2.1:50001"), false),
        (Some("192.0.2.2:50001"), true),
        (Some("[::ffff:192.0.2.2]:50001"), false),
        (Some("[2001:db8::1]:443"), true),
        (Some("[2001:db8::ffff:1:2]:443"), false),
        (Some("[2001:db8:0:1::1]:443"), true),
        (Some("/var/run/socket"), true),
        (None, false),
    ] {
        assert_eq!(envoy.passes(JANE, client), passes, "{client:?}");
    }
}

#[test]
fn a_model_counts_for_as_many_as_its_weight_says() {
    let envoy = Envoy::of(&json!({"q": {
        "by": ["subject"], "count": "items", "limit": 25, "per": "1h",
        "weights": [{"model": ["large-*"], "weight": 10}, {"model": ["*"], "weight": 2}],
    }}));
    let (mut exchange, outcome) = envoy.embed("large-1", 2);
    assert_eq!(outcome.flow, Flow::Continue);
    let charged = json!([{
        "quota": "q", "amount": 20, "limit": 25, "remaining": 5,
        "key": ["subject", "corp", "jane"], "at": 0, "until": ring_end(3600),
    }]);
    assert_eq!(charges(&mut exchange), charged);
    assert_eq!(code(&envoy.embed("large-1", 1).1), "quota_exceeded");
    assert_eq!(envoy.embed("small-1", 2).1.flow, Flow::Continue);
}

#[test]
fn bytes_of_a_request_are_those_that_are_sent() {
    let quota = json!({"by": ["subject"], "count": "request_bytes", "limit": 1000, "per": "1h"});
    let compiled = compiled(&json!({
        "quotas": {"q": quota},
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [
            {"name": "masked", "when": {"operation": ["inference.chat"]}, "then": "allow", "quota": ["q"], "mask_request": ["pii"]},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "quota": ["q"]},
        ],
    }));
    let amount = |exchange: &mut Driven| charges(exchange)[0]["amount"].clone();

    let mut exchange = Driven::new(&compiled);
    assert_eq!(exchange.chat().flow, Flow::Hold);
    let long = r#"{"messages":[{"role":"user","content":"ana.maria@example.com"}]}"#;
    assert_eq!(exchange.whole(long).flow, Flow::Continue);
    let masked = long.replace("ana.maria@example.com", "[EMAIL]");
    assert_eq!(amount(&mut exchange), json!(masked.len()));

    // Whatever the body is, and although nothing else wants it.
    let mut exchange = Driven::new(&compiled);
    let head = exchange.head("POST", "/v1/files", &[("content-type", "audio/wav")], false);
    assert_eq!(head.flow, Flow::Hold);
    assert_eq!(exchange.whole("RIFF and more").flow, Flow::Continue);
    assert_eq!(amount(&mut exchange), json!(13));

    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.head("GET", "/v1/models", &[], true);
    assert_eq!(outcome.flow, Flow::Continue);
    assert_eq!(amount(&mut exchange), json!(0));

    let mut exchange = Driven::new(&compiled);
    let socket = [("upgrade", "websocket"), ("connection", "upgrade")];
    let outcome = exchange.head("GET", "/v1/models", &socket, true);
    assert_eq!(code(&outcome), "count_unknown");
}

#[test]
fn bytes_of_an_answer_are_counted_as_they_pass() {
    let envoy = Envoy::of(&json!({
        "q": {"by": ["subject"], "count": "response_bytes", "limit": 100_000, "per": "1h"},
    }));
    let (mut first, outcome) = envoy.list(JANE, None);
    assert_eq!(outcome.flow, Flow::Continue);
    respond(&mut first, false);
    assert!(first.exchange.wants_response_sizes() && !first.exchange.wants_response_body());
    let pass = |exchange: &mut Driven, bytes| {
        let outcome = exchange.handle(Event::ResponseUnseen { bytes });
        assert_eq!((outcome.flow, outcome.effects), (Flow::Continue, vec![]));
    };
    let before = envoy.written();
    pass(&mut first, 60_000);
    assert_eq!(envoy.written(), before, "a step is 64 KiB");
    pass(&mut first, 40_000);
    assert_ne!(envoy.written(), before);
    // Nothing is left, though the answer goes on.
    assert_eq!(code(&envoy.list(JANE, None).1), "quota_exceeded");
    assert!(envoy.passes(("bob", &[]), None));
    pass(&mut first, 7);
    let charged = json!([{
        "quota": "q", "amount": 100_007, "limit": 100_000, "remaining": 0,
        "key": ["subject", "corp", "jane"], "at": 0, "until": ring_end(3600),
    }]);
    assert_eq!(charges(&mut first), charged);
}

#[test]
fn bytes_of_an_answer_that_is_looked_at_are_counted_as_they_come() {
    let compiled = compiled(&json!({
        "quotas": {"q": {"by": ["subject"], "count": "response_bytes", "limit": 100_000, "per": "1h"}},
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{"name": "all", "then": "allow", "quota": ["q"], "mask": ["pii"]}],
    }));
    let mut exchange = Driven::new(&compiled);
    assert_eq!(
        exchange.head("GET", "/v1/models", &[], true).flow,
        Flow::Continue
    );
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &bytes(&[(":status", "200"), ("content-type", "text/plain")]),
        end: false,
    });
    let piece = b"ana.maria@example.com";
    exchange.handle(Event::ResponseBody { piece, end: true });
    assert_eq!(charges(&mut exchange)[0]["amount"], json!(21));
}

#[test]
fn what_is_in_flight_is_free_when_its_exchange_ends_however_it_does() {
    let quota = json!({"q": {"by": ["subject"], "count": "in_flight", "limit": 1}});
    let ends: [&dyn Fn(Driven); 4] = [
        &|mut exchange: Driven| {
            respond(&mut exchange, true);
            exchange.record();
        },
        // The client leaves before there is an answer.
        &|mut exchange: Driven| {
            exchange.record();
        },
        // The model server fails in the middle of its answer.
        &|mut exchange: Driven| {
            respond(&mut exchange, false);
            exchange.record();
        },
        // The host says nothing of its end.
        &|exchange: Driven| drop(exchange),
    ];
    for (number, end) in ends.iter().enumerate() {
        let envoy = Envoy::of(&quota);
        let (exchange, outcome) = envoy.list(JANE, None);
        assert_eq!(outcome.flow, Flow::Continue);
        let (mut refused, outcome) = envoy.list(JANE, None);
        assert_eq!(code(&outcome), "quota_exceeded");
        refused.record();
        assert!(!envoy.passes(JANE, None), "who was refused holds nothing");
        end(exchange);
        let now = Duration::from_secs(NOW + 10);
        envoy.compiled.renew_slots(now, &*envoy.store);
        assert!(envoy.passes(JANE, None), "end {number}");
    }
}

#[test]
fn what_is_in_flight_and_refused_by_another_quota_is_not_held() {
    let envoy = Envoy::of(&json!({
        "a": {"by": ["subject"], "count": "in_flight", "limit": 2},
        "b": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1h"},
    }));
    let (_held, outcome) = envoy.list(JANE, None);
    assert_eq!(outcome.flow, Flow::Continue);
    let before = envoy.written();
    for _ in 0..3 {
        assert_eq!(code(&envoy.list(JANE, None).1), "quota_exceeded");
    }
    assert_eq!(envoy.written(), before);
}
