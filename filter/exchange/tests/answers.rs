//! Answers that wait for a person.

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, code, compiled, http, reply};
use crate::exchange::{Call, CompiledPolicy, Effect, Event, Flow, Outcome};

fn gated() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk", "wait": "30s", "credential": "Bearer ${KEY}"},
        "masks": {"gate": {"detect": [
            "ip", {"is": "email", "action": {"approve": {"reviewers": ["leads"]}}},
        ]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["gate"]}],
    }))
}

/// An exchange whose request has passed and whose response has begun.
fn begun() -> Driven {
    let mut exchange = Driven::new(&gated());
    assert_eq!(exchange.chat().flow, Flow::Continue);
    let headers = bytes(&[(":status", "200"), ("content-type", "application/json")]);
    let head = exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    });
    assert_eq!(head.flow, Flow::Hold);
    assert!(exchange.holds_answer());
    exchange
}

fn body(exchange: &mut Driven, piece: &str, end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody {
        piece: piece.as_bytes(),
        end,
    })
}

fn call(outcome: &Outcome) -> Call {
    let call = outcome.effects.iter().find_map(|effect| match effect {
        Effect::Call(call) => Some(Call::clone(call)),
        _ => None,
    });
    assert_eq!(outcome.flow, Flow::Hold);
    call.unwrap_or_else(|| panic!("no call in {outcome:?}"))
}

fn answered(exchange: &mut Driven, call: &Call, answer: Option<(u16, &str)>) -> Outcome {
    exchange.answered(call, answer.map(|(status, body)| (status, body.as_bytes())))
}

const ANSWER: &str = r#"{"a":"ana@example.com from 203.0.113.7"}"#;
const SENT: &str = r#"{"a":"ana@example.com from [IP]"}"#;

/// An answer of which nothing has gone, and the question about it.
fn asked() -> (Driven, Call) {
    let mut exchange = begun();
    let (head, tail) = ANSWER.split_at(12);
    let outcome = body(&mut exchange, head, false);
    assert_eq!(outcome.effects, [Effect::ReplaceResponseBody(vec![])]);
    assert_eq!(outcome.flow, Flow::Hold);
    let outcome = body(&mut exchange, tail, true);
    let call = call(&outcome);
    assert_eq!(
        outcome.effects,
        [
            Effect::ReplaceResponseBody(SENT.into()),
            Effect::Call(Box::new(call.clone()))
        ]
    );
    (exchange, call)
}

#[test]
fn an_answer_without_such_a_match_goes_on_whole() {
    let mut exchange = begun();
    body(&mut exchange, r#"{"a":"203.0.113.7"#, false);
    let outcome = body(&mut exchange, r#""}"#, true);
    assert_eq!(
        outcome.effects,
        [Effect::ReplaceResponseBody(br#"{"a":"[IP]"}"#.to_vec())]
    );
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(!exchange.holds_answer());
    let record = exchange.record();
    assert_eq!(record["approval"], Value::Null);
    assert_eq!(record["response"]["bytes_sent"], 12);
}

#[test]
fn the_question_says_what_was_found_and_nothing_of_it() {
    let (_, call) = asked();
    let (method, path, _, asked) = http(&call);
    assert_eq!((method, path), ("POST", "/v1/approvals"));
    let question: Value = serde_json::from_slice(asked).unwrap();
    assert_eq!(question["found"], json!(["email"]));
    assert_eq!(question["reviewers"], json!(["leads"]));
    assert_eq!(question["subject"], "jane");
    assert_eq!(question["operation"], "inference.chat");
    assert_eq!(question["rule"], "all");
    assert!(!String::from_utf8(asked.to_vec()).unwrap().contains("ana"));
    // The next answer is another one.
    let mut other = begun();
    let outcome = body(&mut other, &ANSWER.replace("from", "of"), true);
    let other: Value = serde_json::from_slice(http(&self::call(&outcome)).3).unwrap();
    assert_ne!(question["digest"], other["digest"]);
}

#[test]
fn an_approved_answer_goes_on_with_what_was_found() {
    let (mut exchange, asked) = asked();
    let pending = r#"{"id":"apr_1","state":"pending"}"#;
    let poll = call(&answered(&mut exchange, &asked, Some((200, pending))));
    assert_eq!(http(&poll).0, "GET");
    assert!(exchange.holds_answer());
    // An answer to a question of long ago says nothing.
    let approved = r#"{"id":"apr_1","state":"approved","reviewer":"lea"}"#;
    let outcome = answered(&mut exchange, &asked, Some((200, approved)));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Hold));
    exchange.now += Duration::from_millis(80);
    let outcome = answered(&mut exchange, &poll, Some((200, approved)));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
    assert!(!exchange.holds_answer());
    let record = exchange.record();
    assert_eq!(record["approval"]["state"], "approved");
    assert_eq!(record["approval"]["reviewer"], "lea");
    assert_eq!(record["response"]["matches"], json!({"email": 1, "ip": 1}));
    assert_eq!(record["response"]["bytes_sent"], SENT.len());
    assert_eq!(record["timing"]["first_byte"], 80);
    assert_eq!(record["response"]["code"], Value::Null);
}

#[test]
fn of_an_answer_whose_client_leaves_before_the_decision_nothing_went() {
    let (mut exchange, _) = asked();
    let record = exchange.record();
    assert_eq!(record["response"]["bytes_sent"], 0);
    assert_eq!(record["timing"]["first_byte"], Value::Null);
}

#[test]
fn an_answer_that_nobody_approves_is_refused() {
    for (desk, status, refusal, state) in [
        (
            Some((200, r#"{"id":"apr_1","state":"denied","reason":"no"}"#)),
            403,
            "approval_denied",
            "denied",
        ),
        (
            Some((200, r#"{"id":"apr_1","state":"used"}"#)),
            403,
            "approval_gone",
            "gone",
        ),
        (Some((500, "")), 503, "approval_unavailable", "unavailable"),
        (None, 503, "approval_unavailable", "unavailable"),
    ] {
        let (mut exchange, asked) = asked();
        let outcome = answered(&mut exchange, &asked, desk);
        assert_eq!(reply(&outcome).status, status);
        assert_eq!(code(&outcome), refusal);
        let record = exchange.record();
        assert_eq!(record["approval"]["state"], state);
        assert_eq!(record["response"]["code"], refusal);
        assert_eq!(record["response"]["bytes_sent"], 0);
        assert_eq!(record["response"]["matches"]["email"], 1);
    }
}

#[test]
fn an_answer_waits_no_longer_than_a_request() {
    let (mut exchange, asked) = asked();
    exchange.now += Duration::from_secs(30);
    let pending = r#"{"id":"apr_1","state":"pending"}"#;
    let outcome = answered(&mut exchange, &asked, Some((200, pending)));
    assert_eq!(code(&outcome), "approval_pending");
    assert_eq!(exchange.record()["approval"]["state"], "pending");
}

#[test]
fn an_answer_that_is_too_large_to_wait_is_refused() {
    let mut exchange = begun();
    let mut outcome = body(&mut exchange, "[0", false);
    let piece = format!(",\"{}\"", "x".repeat(200_000));
    for _ in 0..6 {
        outcome = body(&mut exchange, &piece, false);
    }
    assert_eq!(reply(&outcome).status, 502);
    assert_eq!(code(&outcome), "answer_too_large");
    assert_eq!(exchange.record()["response"]["bytes_sent"], 0);
}

#[test]
fn an_answer_may_end_with_trailers() {
    let mut exchange = begun();
    body(&mut exchange, ANSWER, false);
    let outcome = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    let asked = call(&outcome);
    let approved = r#"{"id":"apr_1","state":"approved"}"#;
    let outcome = answered(&mut exchange, &asked, Some((200, approved)));
    assert_eq!(outcome.flow, Flow::Continue);
}

#[test]
fn an_answer_that_finds_no_place_to_wait_is_refused() {
    let compiled = compiled(&json!({
        "approvals": {"cluster": "desk"},
        "limits": {"waiting": {"total": 1}},
        "masks": {"gate": {"detect": [{"is": "email", "action": {"approve": {"reviewers": ["leads"]}}}]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["gate"]}],
    }));
    let answered = || {
        let mut exchange = Driven::new(&compiled);
        assert_eq!(exchange.chat().flow, Flow::Continue);
        let headers = bytes(&[(":status", "200"), ("content-type", "application/json")]);
        exchange.handle(Event::ResponseHead {
            cluster: None,
            headers: &headers,
            end: false,
        });
        let outcome = body(&mut exchange, ANSWER, true);
        (exchange, outcome)
    };
    let (waiting, asked) = answered();
    call(&asked);
    let (mut exchange, refused) = answered();
    assert_eq!(code(&refused), "too_many_waiting");
    assert_eq!(exchange.record()["response"]["bytes_sent"], 0);
    drop(waiting);
    call(&answered().1);
}
