use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, code, compiled, http, reply, token};
use crate::exchange::{Call, CompiledPolicy, Effect, Event, Flow, Outcome};

fn gated() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk", "credential": "Bearer ${KEY}", "wait": "25s", "timeout": "2s"},
        "rules": [
            {"name": "gate", "when": {"operation": ["embedding.*"]}, "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "all", "then": "allow"},
        ],
    }))
}

fn call(outcome: &Outcome) -> &Call {
    assert_eq!(outcome.flow, Flow::Hold);
    outcome
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Call(call) => Some(call),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no call in {outcome:?}"))
}

fn asked() -> (Driven, Call) {
    let mut exchange = Driven::new(&gated());
    let head = exchange.head(
        "POST",
        "/v1/embeddings",
        &[("content-type", "application/json")],
        false,
    );
    assert_eq!(head.flow, Flow::Hold);
    let outcome = exchange.whole(r#"{"model":"m","input":["a","b"]}"#);
    let call = call(&outcome).clone();
    (exchange, call)
}

fn answer(exchange: &mut Driven, call: &Call, status: u16, body: &Value) -> Outcome {
    exchange.answered(call, Some((status, body.to_string().as_bytes())))
}

#[test]
fn the_desk_is_asked_with_what_a_reviewer_needs() {
    let (_, call) = asked();
    let (method, path, headers, body) = http(&call);
    assert_eq!((method, path), ("POST", "/v1/approvals"));
    assert_eq!(call.timeout, Duration::from_secs(2));
    assert!(headers.contains(&("authorization", "Bearer service-key".to_owned())));
    let question: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(question["subject"], "jane");
    assert_eq!(question["operation"], "embedding.create");
    assert_eq!(question["items"], 2);
    assert_eq!(question["rule"], "gate");
    assert_eq!(question["reviewers"], json!(["leads"]));
    assert_eq!(question["digest"].as_str().unwrap().len(), 64);
}

#[test]
fn approved_goes_on_and_later_rules_are_tried() {
    let (mut exchange, ask) = asked();
    let outcome = answer(
        &mut exchange,
        &ask,
        200,
        &json!({"id": "apr_1", "state": "pending"}),
    );
    let poll = call(&outcome).clone();
    assert_eq!(http(&poll).1, "/v1/approvals/apr_1?wait=20");
    assert_eq!(poll.timeout, Duration::from_secs(22));
    exchange.now += Duration::from_secs(20);
    // While a person decides, more of the body or a late answer lets nothing pass.
    assert_eq!(
        exchange
            .handle(Event::RequestPiece {
                held: 1,
                end: false
            })
            .flow,
        Flow::Hold
    );
    assert_eq!(
        answer(
            &mut exchange,
            &ask,
            200,
            &json!({"id": "apr_1", "state": "approved"})
        )
        .effects,
        []
    );
    let outcome = answer(
        &mut exchange,
        &poll,
        200,
        &json!({"id": "apr_1", "state": "pending"}),
    );
    let poll = call(&outcome).clone();
    assert_eq!(http(&poll).1, "/v1/approvals/apr_1?wait=5");
    let outcome = answer(
        &mut exchange,
        &poll,
        200,
        &json!({"id": "apr_1", "state": "approved", "reviewer": "ana", "reason": "a drill"}),
    );
    assert_eq!(outcome.effects, []);
    assert_eq!(outcome.flow, Flow::Continue);
    let record = exchange.record();
    assert_eq!(record["verdict"]["action"], "allow");
    assert_eq!(record["verdict"]["rule"], "all");
    assert_eq!(
        record["approval"],
        json!({
            "id": "apr_1",
            "state": "approved",
            "rule": "gate",
            "reviewer": "ana",
            "reason": "a drill",
            "decided": "2027-01-15T08:00:20.000Z",
        })
    );
}

#[test]
fn denied_undecided_and_used_are_refused() {
    let (mut exchange, ask) = asked();
    let outcome = answer(
        &mut exchange,
        &ask,
        200,
        &json!({"id": "apr_1", "state": "denied", "reason": "too much"}),
    );
    assert_eq!(code(&outcome), "approval_denied");
    assert!(reply(&outcome).body.contains("too much"));

    let (mut exchange, ask) = asked();
    let outcome = answer(
        &mut exchange,
        &ask,
        200,
        &json!({"id": "apr_1", "state": "pending"}),
    );
    let poll = call(&outcome).clone();
    exchange.now += Duration::from_secs(25);
    let outcome = answer(
        &mut exchange,
        &poll,
        200,
        &json!({"id": "apr_1", "state": "pending"}),
    );
    assert_eq!(code(&outcome), "approval_pending");
    assert_eq!(reply(&outcome).status, 403);
    assert!(reply(&outcome).body.contains("apr_1"));

    let (mut exchange, ask) = asked();
    let outcome = answer(
        &mut exchange,
        &ask,
        200,
        &json!({"id": "apr_1", "state": "used"}),
    );
    assert_eq!(code(&outcome), "approval_gone");
}

#[test]
fn a_desk_that_is_away_is_never_a_pass() {
    let (mut exchange, ask) = asked();
    let outcome = exchange.answered(&ask, None);
    assert_eq!(code(&outcome), "approval_unavailable");
    assert_eq!(reply(&outcome).status, 503);
    assert_eq!(exchange.record()["approval"]["state"], "unavailable");
    for (status, body) in [
        (503, json!("no healthy upstream")),
        (504, json!({"id": "apr_1", "state": "approved"})),
        (401, json!({"error": {}})),
        (200, json!({"id": "apr_1", "state": "yes"})),
    ] {
        let (mut exchange, ask) = asked();
        assert_eq!(
            code(&answer(&mut exchange, &ask, status, &body)),
            "approval_unavailable"
        );
    }
}

#[test]
fn a_request_without_a_body_can_be_approved_and_a_client_may_leave() {
    let compiled = compiled(&json!({
        "approvals": {"cluster": "desk"},
        "rules": [{"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}}, {"name": "all", "then": "allow"}],
    }));
    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.head("GET", "/v1/models", &[], true);
    let ask = call(&outcome).clone();
    let record = exchange.record();
    assert_eq!(record["verdict"]["action"], "none");
    assert_eq!(record["approval"]["rule"], "gate");
    // The answer comes too late for anybody.
    let late = answer(
        &mut exchange,
        &ask,
        200,
        &json!({"id": "apr_1", "state": "approved"}),
    );
    assert_eq!(late.effects, []);
}

/// The gate's policy with so few places.
fn crowded(waiting: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk"},
        "limits": {"waiting": waiting},
        "rules": [{"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}}, {"name": "all", "then": "allow"}],
    }))
}

/// A request of a subject, held or refused.
fn of(compiled: &Rc<CompiledPolicy>, subject: &str) -> (Driven, Outcome) {
    let mut exchange = Driven::new(compiled);
    let bearer = format!("Bearer {}", token(subject, &[]));
    let outcome = exchange.head("GET", "/v1/models", &[("authorization", &bearer)], true);
    (exchange, outcome)
}

#[test]
fn a_caller_fills_only_its_own_places_and_those_who_left_give_theirs_back() {
    let compiled = crowded(&json!({"per_subject": 2}));
    let (mut first, ask) = of(&compiled, "jane");
    let ask = call(&ask).clone();
    let (second, _) = of(&compiled, "jane");
    let (mut third, refused) = of(&compiled, "jane");
    assert_eq!(code(&refused), "too_many_waiting");
    assert_eq!(reply(&refused).status, 429);
    assert_eq!(third.record()["approval"]["state"], "unavailable");
    call(&of(&compiled, "bob").1);
    // One is decided, the client of another leaves.
    let approved = json!({"id": "apr_1", "state": "approved"});
    assert_eq!(
        answer(&mut first, &ask, 200, &approved).flow,
        Flow::Continue
    );
    let (_fourth, held) = of(&compiled, "jane");
    call(&held);
    assert_eq!(code(&of(&compiled, "jane").1), "too_many_waiting");
    drop(second);
    call(&of(&compiled, "jane").1);
}

#[test]
fn no_more_wait_than_may_in_all() {
    let compiled = crowded(&json!({"total": 3}));
    let waiting: Vec<_> = ["ana", "bob", "eve"].map(|name| of(&compiled, name)).into();
    let (_, refused) = of(&compiled, "jane");
    assert_eq!(code(&refused), "too_many_waiting");
    assert_eq!(reply(&refused).status, 503);
    drop(waiting);
    call(&of(&compiled, "jane").1);
}

#[test]
fn a_request_and_its_answer_are_told_apart_by_the_same_host_and_query() {
    let digest_at = |authority: &str, path: &str| {
        let compiled = compiled(&json!({
            "approvals": {"cluster": "desk"},
            "masks": {"gate": {"detect": [{"is": "email", "action": {"approve": {"reviewers": ["leads"]}}}]}},
            "rules": [
                {"name": "list", "when": {"operation": ["model.list"]}, "then": "allow", "mask": ["gate"]},
            ],
        }));
        let mut exchange = Driven::new(&compiled);
        let bearer = format!("Bearer {}", token("jane", &[]));
        let headers = [
            (":method", "GET"),
            (":path", path),
            (":authority", authority),
            ("authorization", &bearer),
        ];
        let outcome = exchange.handle(Event::RequestHead {
            headers: &bytes(&headers),
            end: true,
            cluster: None,
        });
        assert_eq!(outcome.flow, Flow::Continue);
        let headers = bytes(&[(":status", "200"), ("content-type", "text/plain")]);
        exchange.handle(Event::ResponseHead {
            cluster: None,
            headers: &headers,
            end: false,
        });
        let outcome = exchange.handle(Event::ResponseBody {
            piece: b"ana@example.com",
            end: true,
        });
        let question: Value = serde_json::from_slice(http(call(&outcome)).3).unwrap();
        question["digest"].as_str().unwrap().to_owned()
    };
    let one = digest_at("models:80", "/v1/models?page=1");
    assert_eq!(one, digest_at("MODELS", "/v1/models?page=1"));
    assert_ne!(one, digest_at("models", "/v1/models?page=2"));
}
