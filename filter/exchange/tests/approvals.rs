//! Requests that wait for a person, and take the approval when they go.

mod claims;

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, ask, bytes, call, claimed, code, compiled, decision, http, reply, token};
use crate::approval::{Decision, Subject, Trouble};
use crate::exchange::{Ask, Call, Came, CompiledPolicy, Event, Flow, Outcome};

fn gated() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {
            "cluster": "desk", "credential": "Bearer ${KEY}", "wait": "25s", "timeout": "2s",
            "headers": ["x-lane"],
        },
        "rules": [
            {"name": "gate", "when": {"operation": ["embedding.*", "model.tune"]}, "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "all", "then": "allow"},
        ],
    }))
}

const BODY: &str = r#"{"model":"m","input":["a","b"]}"#;

/// A request with a body of this kind, and the question about it.
fn asked_with(extra: &[(&str, &str)], body: &str) -> (Driven, Ask) {
    let mut exchange = Driven::new(&gated());
    let head = exchange.head("POST", "/v1/embeddings", extra, false);
    assert_eq!(head.flow, Flow::Hold);
    let outcome = exchange.whole(body);
    let ask = ask(&outcome);
    (exchange, ask)
}

fn asked() -> (Driven, Ask) {
    asked_with(&[("content-type", "application/json")], BODY)
}

/// A request that was approved, and its claim.
fn approved() -> (Driven, Ask, Call) {
    let (mut exchange, ask) = asked();
    let outcome = exchange.decided(&ask, &decision("apr_1", "approved"));
    let claim = call(&outcome);
    (exchange, ask, claim)
}

/// A request that went.
fn went() -> (Driven, Call) {
    let (mut exchange, ask, claim) = approved();
    let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &ask))));
    assert_eq!(outcome.flow, Flow::Continue);
    (exchange, claim)
}

fn question(ask: &Ask) -> Value {
    serde_json::from_slice(&ask.question).unwrap()
}

fn body_of(call: &Call) -> Value {
    serde_json::from_slice(http(call).3).unwrap()
}

fn answer_head(exchange: &mut Driven, headers: &[(&str, &str)]) -> Outcome {
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &bytes(headers),
        end: true,
    })
}

#[test]
fn a_person_is_asked_with_what_a_reviewer_needs() {
    let (_, ask) = asked();
    assert_eq!(ask.about, Subject::Request);
    assert_eq!(ask.deadline, Duration::from_secs(super::NOW + 25));
    let question = question(&ask);
    for (member, expected) in [
        ("version", json!(2)),
        ("binding", json!(ask.binding)),
        ("asker", json!(ask.asker)),
        ("about", json!("request")),
        ("exchange", json!("e")),
        ("subject", json!("jane")),
        ("issuer", json!("https://idp")),
        ("groups", json!(["engineers"])),
        ("email", Value::Null),
        ("operation", json!("embedding.create")),
        ("host", json!("models")),
        ("path", json!("/v1/embeddings")),
        ("query", Value::Null),
        ("model", json!("m")),
        ("items", json!(2)),
        ("headers", json!({"content-type": "application/json"})),
        ("rule", json!("gate")),
        ("reviewers", json!(["leads"])),
        ("approvals", json!(1)),
        ("reason", json!("optional")),
        ("expires", json!(86_400)),
    ] {
        assert_eq!(question[member], expected, "{member}");
    }
    assert_eq!(question["body"]["bytes"], BODY.len());
    assert_eq!(question["body"]["text"], BODY);
    assert_eq!(question["body"]["cut"], false);
    assert_eq!(question["binding"].as_str().unwrap().len(), 64);
    assert_eq!(question["rule_digest"].as_str().unwrap().len(), 64);
    assert_eq!(question["asker"].as_str().unwrap().len(), 32);
    for absent in ["escalate", "grant", "found"] {
        assert_eq!(question.get(absent), None, "{absent}");
    }
}

#[test]
fn reviewers_see_the_beginning_of_a_body_under_the_masks_of_the_policy() {
    let masked = compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": {"pii": {"detect": [{"is": "email", "action": "alert"}]}},
        "rules": [{"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}}, {"name": "all", "then": "allow"}],
    }));
    for (policy, input, text, cut) in [
        (
            &masked,
            "write to ana@example.com".to_owned(),
            "write to [EMAIL]",
            false,
        ),
        (
            &gated(),
            "write to ana@example.com".to_owned(),
            "write to ana@example.com",
            false,
        ),
        (
            &masked,
            "\u{e9} \"\u{1} ".repeat(20_000),
            "\u{e9} \\\"\\u0001",
            true,
        ),
    ] {
        let mut exchange = Driven::new(policy);
        let json = [("content-type", "application/json")];
        exchange.head("POST", "/v1/embeddings", &json, false);
        let body = json!({"model": "m", "input": input}).to_string();
        let ask = ask(&exchange.whole(&body));
        let question = question(&ask);
        let shown = question["body"]["text"].as_str().unwrap();
        assert!(shown.contains(text), "{shown}");
        assert_eq!(question["body"]["cut"], cut);
        assert_eq!(!cut, shown.ends_with('}'), "{shown}");
        assert!(ask.question.len() < 32 << 10, "{}", ask.question.len());
    }
    // A picture has no text.
    let mut exchange = Driven::new(&masked);
    exchange.head(
        "POST",
        "/v1/embeddings",
        &[("content-type", "image/png")],
        false,
    );
    let outcome = exchange.whole("\u{89}PNG");
    let asks = outcome
        .effects
        .iter()
        .any(|one| matches!(one, crate::exchange::Effect::Ask(_)));
    assert!(!asks || question(&ask(&outcome))["body"]["text"].is_null());
}

#[test]
fn keys_in_a_query_are_shown_to_nobody() {
    let mut exchange = Driven::new(&gated());
    let json = [("content-type", "application/json")];
    let path = "/v1/embeddings?page=2&Api_Key=s3cret&x-goog-signature=s3cret&flag";
    exchange.head("POST", path, &json, false);
    let ask = ask(&exchange.whole(BODY));
    let query = "page=2&Api_Key=...&x-goog-signature=...&flag";
    assert_eq!(question(&ask)["query"], query);
}

#[test]
fn what_masks_look_for_is_shown_of_no_query() {
    let masked = compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}}, {"name": "all", "then": "allow"}],
    }));
    let mut exchange = Driven::new(&masked);
    let json = [("content-type", "application/json")];
    let path = "/v1/embeddings?page=2&to=ana%40example.com&bob%40example.com=1";
    exchange.head("POST", path, &json, false);
    let ask = ask(&exchange.whole(BODY));
    assert_eq!(question(&ask)["query"], "page=2&to=...&...");
}

#[test]
fn a_binding_is_of_what_counts_and_of_nothing_else() {
    let json = ("content-type", "application/json");
    let one = asked().1.binding;
    let same: [&[(&str, &str)]; 2] = [
        &[json, ("user-agent", "openai/2"), ("x-request-id", "7")],
        &[
            json,
            ("x-stainless-retry-count", "1"),
            ("traceparent", "00-1-2-3"),
        ],
    ];
    for extra in same {
        assert_eq!(asked_with(extra, BODY).1.binding, one, "{extra:?}");
    }
    let others: [&[(&str, &str)]; 2] = [
        &[("content-type", "application/json; charset=utf-8")],
        &[json, ("x-lane", "red")],
    ];
    for extra in others {
        assert_ne!(asked_with(extra, BODY).1.binding, one, "{extra:?}");
    }
    let other = BODY.replace("\"b\"", "\"c\"");
    assert_ne!(asked_with(&[json], &other).1.binding, one);
    // The way that the request took counts, too.
    let mut exchange = Driven::new(&gated());
    exchange.came(Came {
        route: Some("embed".to_owned()),
        cluster: Some("models".to_owned()),
        client: Some("10.0.0.9:4711".to_owned()),
    });
    exchange.head("POST", "/v1/embeddings", &[json], false);
    let ask = ask(&exchange.whole(BODY));
    assert_ne!(ask.binding, one);
    assert_eq!(question(&ask)["client"], "10.0.0.9:4711");
    assert_eq!(question(&ask)["route"], "embed");
}

#[test]
fn approved_is_claimed_and_goes_on_and_later_rules_are_tried() {
    let (mut exchange, ask) = asked();
    let open = exchange.decided(&ask, &decision("apr_1", "pending"));
    assert_eq!((open.effects, open.flow), (vec![], Flow::Hold));
    exchange.now += Duration::from_secs(20);
    // While a person decides, more of the body, or what is said of another question, lets nothing pass.
    let more = Event::RequestPiece {
        held: 1,
        end: false,
    };
    assert_eq!(exchange.handle(more).flow, Flow::Hold);
    let mut other = ask.clone();
    other.number += 100;
    let outcome = exchange.decided(&other, &decision("apr_1", "approved"));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Hold));

    let outcome = exchange.decided(&ask, &decision("apr_1", "approved"));
    let claim = call(&outcome);
    let (method, path, headers, _) = http(&claim);
    assert_eq!((method, path), ("POST", "/v1/approvals/apr_1/claim"));
    assert_eq!(claim.timeout, Duration::from_secs(2));
    assert!(headers.contains(&("authorization", "Bearer service-key".to_owned())));
    let sent = body_of(&claim);
    assert_eq!(sent["binding"], ask.binding.as_str());
    assert_eq!(sent["exchange"], "e");
    assert_eq!(sent["claim"].as_str().unwrap().len(), 32);
    assert_eq!(sent.get("digest"), None);
    let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &ask))));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
    answer_head(&mut exchange, &[(":status", "200")]);
    let record = exchange.record();
    assert_eq!(record["verdict"]["action"], "allow");
    assert_eq!(record["verdict"]["rule"], "all");
    assert_eq!(
        record["approvals"][0],
        json!({
            "id": "apr_1",
            "state": "approved",
            "rule": "gate",
            "reviewer": "ana",
            "reason": "a drill",
            "decided": "2027-01-15T08:00:20.000Z",
            "claim": sent["claim"],
            "given_back": false,
            "kept_from": null,
        })
    );
}

#[test]
fn denied_undecided_and_over_are_refused() {
    let (mut exchange, ask) = asked();
    let outcome = exchange.decided(&ask, &decision("apr_1", "denied"));
    assert_eq!(code(&outcome), "approval_denied");
    assert!(reply(&outcome).body.contains("a drill"));

    let (mut exchange, ask) = asked();
    exchange.decided(&ask, &decision("apr_1", "pending"));
    let outcome = exchange.decided(&ask, &Decision::Late("apr_1".to_owned()));
    assert_eq!(code(&outcome), "approval_pending");
    let told = reply(&outcome);
    assert_eq!((told.status, told.grpc_status), (409, 14));
    assert!(told.body.contains("apr_1"));
    for header in [("x-should-retry", "true"), ("retry-after", "5")] {
        let header = (header.0, header.1.to_owned());
        assert!(told.headers.contains(&header), "{header:?}");
    }
    assert_eq!(exchange.record()["approvals"][0]["state"], "pending");

    let (mut exchange, ask) = asked();
    let outcome = exchange.decided(&ask, &decision("apr_1", "used"));
    assert_eq!(code(&outcome), "approval_gone");
}

#[test]
fn who_can_not_be_asked_is_never_a_pass_and_says_why() {
    for (trouble, status, expected) in [
        (Trouble::NoAnswer, 503, "approval_unavailable"),
        (Trouble::KeyRefused, 503, "approval_key_refused"),
        (Trouble::TooMany, 429, "approval_too_many"),
        (Trouble::Refused, 503, "approval_question_refused"),
        (Trouble::Failing, 503, "approval_service_failed"),
        (Trouble::NotUnderstood, 503, "approval_not_understood"),
    ] {
        let (mut exchange, ask) = asked();
        let outcome = exchange.decided(&ask, &Decision::Trouble(trouble));
        assert_eq!(code(&outcome), expected);
        assert_eq!(reply(&outcome).status, status, "{expected}");
        assert_eq!(exchange.record()["approvals"][0]["state"], "unavailable");
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
    let ask = ask(&outcome);
    exchange.decided(&ask, &decision("apr_1", "pending"));
    let (record, posts) = exchange.record_and_posts();
    assert_eq!(record["verdict"]["action"], "none");
    assert_eq!(record["approvals"][0]["rule"], "gate");
    assert_eq!(record["approvals"][0]["id"], "apr_1");
    assert_eq!(posts, []);
    // The decision comes too late for anybody.
    let late = exchange.decided(&ask, &decision("apr_1", "approved"));
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
    let (mut first, held) = of(&compiled, "jane");
    let asked = ask(&held);
    let (second, _) = of(&compiled, "jane");
    let (mut third, refused) = of(&compiled, "jane");
    assert_eq!(code(&refused), "too_many_waiting");
    assert_eq!(reply(&refused).status, 429);
    assert_eq!(third.record()["approvals"][0]["state"], "unavailable");
    ask(&of(&compiled, "bob").1);
    // One is decided, the client of another leaves.
    let claim = call(&first.decided(&asked, &decision("apr_1", "approved")));
    assert_eq!(code(&of(&compiled, "jane").1), "too_many_waiting");
    let outcome = first.answered(&claim, Some((200, &claimed(&claim, &asked))));
    assert_eq!(outcome.flow, Flow::Continue);
    let (_fourth, held) = of(&compiled, "jane");
    ask(&held);
    assert_eq!(code(&of(&compiled, "jane").1), "too_many_waiting");
    drop(second);
    ask(&of(&compiled, "jane").1);
}

#[test]
fn no_more_wait_than_may_in_all() {
    let compiled = crowded(&json!({"total": 3}));
    let waiting: Vec<_> = ["ana", "bob", "eve"].map(|name| of(&compiled, name)).into();
    let (_, refused) = of(&compiled, "jane");
    assert_eq!(code(&refused), "too_many_waiting");
    assert_eq!(reply(&refused).status, 503);
    drop(waiting);
    ask(&of(&compiled, "jane").1);
}

#[test]
fn without_random_numbers_nothing_can_be_claimed_and_nothing_is_asked() {
    let mut exchange = Driven::named(&crowded(&json!({})), "00000000000000000000000000000000");
    let outcome = exchange.head("GET", "/v1/models", &[], true);
    assert_eq!(code(&outcome), "approval_unavailable");
}

#[test]
fn a_request_and_its_answer_are_told_apart_by_the_same_host_and_query() {
    let binding_at = |authority: &str, path: &str| {
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
        ask(&outcome).binding
    };
    let one = binding_at("models:80", "/v1/models?page=1");
    assert_eq!(one, binding_at("MODELS", "/v1/models?page=1"));
    assert_ne!(one, binding_at("models", "/v1/models?page=2"));
}
