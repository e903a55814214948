//! Answers that wait for a person.

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, answer_of, ask, bytes, call, claimed, code, compiled, decision, http, reply};
use crate::approval::{Decision, Subject, Trouble};
use crate::exchange::{Ask, CompiledPolicy, Effect, Event, Flow, Outcome};

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

fn body_of(exchange: &mut Driven, piece: &str, end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody {
        piece: piece.as_bytes(),
        end,
    })
}

const ANSWER: &str = r#"{"a":"ana@example.com from 203.0.113.7"}"#;
const SENT: &str = r#"{"a":"ana@example.com from [IP]"}"#;

/// An answer of which nothing has gone, and the question about it.
fn asked() -> (Driven, Ask) {
    let mut exchange = begun();
    let (head, tail) = ANSWER.split_at(12);
    let outcome = body_of(&mut exchange, head, false);
    assert_eq!(outcome.effects, [Effect::ReplaceResponseBody(vec![])]);
    assert_eq!(outcome.flow, Flow::Hold);
    let outcome = body_of(&mut exchange, tail, true);
    let ask = ask(&outcome);
    assert_eq!(
        outcome.effects,
        [
            Effect::ReplaceResponseBody(SENT.into()),
            Effect::Ask(Box::new(ask.clone()))
        ]
    );
    (exchange, ask)
}

#[test]
fn an_answer_without_such_a_match_goes_on_whole() {
    let mut exchange = begun();
    body_of(&mut exchange, r#"{"a":"203.0.113.7"#, false);
    let outcome = body_of(&mut exchange, r#""}"#, true);
    assert_eq!(
        outcome.effects,
        [Effect::ReplaceResponseBody(br#"{"a":"[IP]"}"#.to_vec())]
    );
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(!exchange.holds_answer());
    let record = exchange.record();
    assert_eq!(record["approvals"], json!([]));
    assert_eq!(record["response"]["bytes_sent"], 12);
}

#[test]
fn the_question_says_what_was_found_and_shows_the_answer_with_that_hidden() {
    let (_, asked) = asked();
    assert_eq!(asked.about, Subject::Answer);
    let question: Value = serde_json::from_slice(&asked.question).unwrap();
    assert_eq!(question["about"], "answer");
    assert_eq!(question["found"], json!(["email"]));
    assert_eq!(question["reviewers"], json!(["leads"]));
    assert_eq!(question["subject"], "jane");
    assert_eq!(question["operation"], "inference.chat");
    assert_eq!(question["rule"], "all");
    let sent = crate::approval::digest(SENT.as_bytes());
    let shown = r#"{"a":"[EMAIL] from [IP]"}"#;
    let body = json!({"digest": sent, "bytes": SENT.len(), "text": shown, "cut": false});
    assert_eq!(question["body"], body);
    assert!(
        !String::from_utf8(asked.question.to_vec())
            .unwrap()
            .contains("ana")
    );
    // The next answer is another one.
    let mut other = begun();
    let other = ask(&body_of(&mut other, &ANSWER.replace("from", "of"), true));
    assert_ne!(asked.binding, other.binding);
}

#[test]
fn an_approved_answer_is_claimed_and_goes_on_with_what_was_found() {
    let (mut exchange, asked) = asked();
    exchange.decided(&asked, &decision("apr_1", "pending"));
    assert!(exchange.holds_answer());
    // What is said of another question says nothing.
    let mut other = asked.clone();
    other.number += 100;
    let outcome = exchange.decided(&other, &decision("apr_1", "approved"));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Hold));
    exchange.now += Duration::from_millis(80);
    let claim = call(&exchange.decided(&asked, &decision("apr_1", "approved")));
    assert!(exchange.holds_answer());
    let sent: Value = serde_json::from_slice(http(&claim).3).unwrap();
    let digest = crate::approval::digest(SENT.as_bytes());
    assert_eq!(sent["digest"], digest.as_str());
    let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &asked))));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
    assert!(!exchange.holds_answer());
    let (record, posts) = exchange.record_and_posts();
    assert_eq!(posts, []);
    assert_eq!(record["approvals"][0]["state"], "approved");
    assert_eq!(record["approvals"][0]["reviewer"], "ana");
    assert_eq!(record["approvals"][0]["claim"], sent["claim"]);
    assert_eq!(record["response"]["matches"], json!({"email": 1, "ip": 1}));
    assert_eq!(record["response"]["bytes_sent"], SENT.len());
    assert_eq!(record["timing"]["first_byte"], 80);
    assert_eq!(record["response"]["code"], Value::Null);
}

#[test]
fn an_answer_whose_approval_was_taken_back_does_not_go() {
    let (mut exchange, asked) = asked();
    let claim = call(&exchange.decided(&asked, &decision("apr_1", "approved")));
    let lost = exchange.answered(&claim, Some((200, &answer_of(&claim, &asked, "revoked"))));
    let anew = ask(&lost);
    assert_eq!(anew.binding, asked.binding);
    assert!(exchange.holds_answer());
    let outcome = exchange.decided(&anew, &decision("apr_2", "denied"));
    assert_eq!(code(&outcome), "approval_denied");
    assert_eq!(exchange.record()["response"]["bytes_sent"], 0);
}

#[test]
fn the_claim_of_a_client_that_leaves_meanwhile_goes_back() {
    let (mut exchange, asked) = asked();
    call(&exchange.decided(&asked, &decision("apr_1", "approved")));
    let (record, posts) = exchange.record_and_posts();
    assert_eq!(posts[0].0, "/v1/approvals/apr_1/give_back");
    assert_eq!(record["response"]["bytes_sent"], 0);
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
    let late = Decision::Late("apr_1".to_owned());
    for (decision, status, refusal, state) in [
        (
            decision("apr_1", "denied"),
            403,
            "approval_denied",
            "denied",
        ),
        (decision("apr_1", "used"), 403, "approval_gone", "gone"),
        (late, 409, "approval_pending", "pending"),
        (
            Decision::Trouble(Trouble::Failing),
            503,
            "approval_service_failed",
            "unavailable",
        ),
    ] {
        let (mut exchange, asked) = asked();
        exchange.decided(&asked, &super::decision("apr_1", "pending"));
        let outcome = exchange.decided(&asked, &decision);
        assert_eq!(reply(&outcome).status, status);
        assert_eq!(code(&outcome), refusal);
        let record = exchange.record();
        assert_eq!(record["approvals"][0]["state"], state);
        assert_eq!(record["response"]["code"], refusal);
        assert_eq!(record["response"]["bytes_sent"], 0);
        assert_eq!(record["response"]["matches"]["email"], 1);
    }
}

#[test]
fn an_answer_waits_no_longer_than_a_request() {
    let (exchange, asked) = asked();
    assert_eq!(asked.deadline, exchange.now + Duration::from_secs(30));
}

#[test]
fn an_answer_that_is_too_large_to_wait_is_refused() {
    let mut exchange = begun();
    let mut outcome = body_of(&mut exchange, "[0", false);
    let piece = format!(",\"{}\"", "x".repeat(200_000));
    for _ in 0..6 {
        outcome = body_of(&mut exchange, &piece, false);
    }
    assert_eq!(reply(&outcome).status, 502);
    assert_eq!(code(&outcome), "answer_too_large");
    assert_eq!(exchange.record()["response"]["bytes_sent"], 0);
}

#[test]
fn an_answer_may_end_with_trailers() {
    let mut exchange = begun();
    body_of(&mut exchange, ANSWER, false);
    let outcome = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    let asked = ask(&outcome);
    let claim = call(&exchange.decided(&asked, &decision("apr_1", "approved")));
    let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &asked))));
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
        let outcome = body_of(&mut exchange, ANSWER, true);
        (exchange, outcome)
    };
    let (waiting, asked) = answered();
    ask(&asked);
    let (mut exchange, refused) = answered();
    assert_eq!(code(&refused), "too_many_waiting");
    assert_eq!(exchange.record()["response"]["bytes_sent"], 0);
    drop(waiting);
    ask(&answered().1);
}
