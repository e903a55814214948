//! States that an exchange must not leave, or leave in one way only.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, code, compiled};
use crate::exchange::{Call, CompiledPolicy, Effect, Event, Flow, Outcome};

fn masked(detect: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": {"pii": {"detect": detect}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    }))
}

fn head(exchange: &mut Driven) -> Outcome {
    let headers = bytes(&[(":status", "200"), ("content-type", "text/plain")]);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    })
}

fn body(exchange: &mut Driven, piece: &str, end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody {
        piece: piece.as_bytes(),
        end,
    })
}

#[test]
fn a_body_that_nobody_asked_for_does_not_switch_the_mask_off() {
    let mut exchange = Driven::new(&masked(&json!(["email"])));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    assert_eq!(exchange.whole("{}").effects, []);
    assert_eq!(head(&mut exchange).flow, Flow::Continue);
    let outcome = body(&mut exchange, "write to ana@example.com", true);
    let sent = Effect::ReplaceResponseBody(b"write to [EMAIL]".to_vec());
    assert_eq!(outcome.effects, [sent]);
}

#[test]
fn nothing_goes_on_behind_a_cut() {
    let compiled = masked(&json!([{"is": "email", "action": "cut"}]));
    let mut exchange = Driven::new(&compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    head(&mut exchange);
    // The head goes with the first piece, and the match comes behind it.
    assert_eq!(
        body(&mut exchange, "a long text, ", false).flow,
        Flow::Continue
    );
    let cut = body(&mut exchange, "ana@example.com, ", false);
    assert!(cut.effects.contains(&Effect::CutResponse), "{cut:?}");
    for end in [false, true] {
        let late = body(&mut exchange, "and what comes behind it", end);
        assert_eq!(late.effects, [Effect::ReplaceResponseBody(Vec::new())]);
        assert_eq!(late.flow, Flow::Hold);
    }
    let late = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    assert_eq!((late.effects, late.flow), (vec![], Flow::Hold));
    assert_eq!(
        exchange.record()["response"]["matches"],
        json!({"email": 1})
    );
}

#[test]
fn an_answer_that_nobody_looks_at_has_no_count_of_bytes() {
    let mut exchange = Driven::new(&compiled(&json!({})));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    head(&mut exchange);
    let response = &exchange.record()["response"];
    assert_eq!(response["bytes_received"], Value::Null);
    assert_eq!(response["bytes_sent"], Value::Null);
}

/// A policy under which two requests of a minute pass, once a person has approved.
fn counted(rules: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk", "wait": "1m"},
        "masks": {"cut": {"detect": [{"is": "email", "action": "cut"}]}},
        "quotas": {"two": {"by": ["subject"], "count": "requests", "limit": 2, "per": "1m"}},
        "rules": rules,
    }))
}

/// Another request of the same counts.
fn next(compiled: &Rc<CompiledPolicy>, before: &Driven) -> Driven {
    let mut exchange = Driven::new(compiled);
    exchange.store = Rc::clone(&before.store);
    exchange.now = before.now;
    exchange
}

fn call(outcome: &Outcome) -> Call {
    let call = outcome.effects.iter().find_map(|effect| match effect {
        Effect::Call(call) => Some(Call::clone(call)),
        _ => None,
    });
    call.unwrap_or_else(|| panic!("no call in {outcome:?}"))
}

#[test]
fn a_prompt_that_a_mask_refuses_is_not_charged() {
    let compiled = counted(&json!([
        {"name": "all", "then": "allow", "quota": ["two"], "mask_request": ["cut"]},
    ]));
    let mut exchange = Driven::new(&compiled);
    for _ in 0..3 {
        assert_eq!(exchange.chat().flow, Flow::Hold);
        let outcome = exchange.whole(r#"{"messages":["ana@example.com"]}"#);
        assert_eq!(code(&outcome), "match_withheld");
        assert_eq!(exchange.record()["verdict"]["quotas"], json!([]));
        exchange = next(&compiled, &exchange);
    }
    for passes in [true, true, false] {
        exchange.chat();
        let outcome = exchange.whole(r#"{"messages":["hello"]}"#);
        assert_eq!(outcome.flow == Flow::Continue, passes);
        exchange = next(&compiled, &exchange);
    }
}

#[test]
fn nobody_is_asked_about_a_request_that_a_quota_refuses() {
    let rules = json!([
        {"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}},
        {"name": "all", "then": "allow", "quota": ["two"]},
    ]);
    let compiled = counted(&rules);
    let mut exchange = Driven::new(&compiled);
    let mut waiting = Vec::new();
    for _ in 0..2 {
        exchange = next(&compiled, &exchange);
        let asked = call(&exchange.head("GET", "/v1/models", &[], true));
        waiting.push((asked, next(&compiled, &exchange)));
        let (_, spare) = waiting.last_mut().unwrap();
        core::mem::swap(&mut exchange, spare);
    }
    let mut third = next(&compiled, &exchange);
    let outcome = third.head("GET", "/v1/models", &[], true);
    assert_eq!(code(&outcome), "quota_exceeded");
    assert_eq!(third.record()["approval"], Value::Null);

    // What a denied request, and one whose client left, had taken is there for others.
    let (asked, mut denied) = waiting.pop().unwrap();
    let (_, mut left) = waiting.pop().unwrap();
    let answer = json!({"id": "apr_1", "state": "denied"}).to_string();
    let outcome = denied.answered(&asked, Some((200, answer.as_bytes())));
    assert_eq!(code(&outcome), "approval_denied");
    left.record();
    for passes in [true, true, false] {
        let mut exchange = next(&compiled, &denied);
        let outcome = exchange.head("GET", "/v1/models", &[], true);
        let asked = outcome
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Call(_)));
        assert_eq!(asked, passes, "{outcome:?}");
        core::mem::forget(exchange);
    }
}
