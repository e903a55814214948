//! What records keep of bodies.

mod left_out;
mod sealed;

use core::time::Duration;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::{Driven, bytes, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow};

const ASKS: &str =
    r#"{"model":"small-1","messages":[{"role":"user","content":"mail ana@example.com"}]}"#;

fn policy(sections: &Value) -> Rc<CompiledPolicy> {
    let mut policy = json!({
        "masks": {"pii": {"detect": ["email"]}, "ids": {"detect": ["us_ssn"]}},
        "sessions": {"record": "full"},
        "rules": [{"name": "all", "then": "allow"}],
    });
    let members = sections.as_object().unwrap().clone();
    policy.as_object_mut().unwrap().extend(members);
    compiled(&policy)
}

/// One whose rules are these.
fn ruled(rules: &Value) -> Rc<CompiledPolicy> {
    policy(&json!({"rules": rules}))
}

/// A request with a body has been let go.
fn asked(policy: &Rc<CompiledPolicy>) -> Driven {
    let mut exchange = Driven::new(policy);
    assert_eq!(exchange.chat().flow, Flow::Hold);
    assert!(exchange.wants_body());
    assert_eq!(exchange.whole(ASKS).flow, Flow::Continue);
    exchange
}

fn respond(exchange: &mut Driven, headers: &[(&str, &str)]) {
    let headers = bytes(headers);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    });
}

const EVENTS: &[(&str, &str)] = &[(":status", "200"), ("content-type", "text/event-stream")];
const JSON: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/json")];

/// What of a piece goes on.
fn piece(exchange: &mut Driven, piece: &[u8], end: bool) -> Vec<u8> {
    let outcome = exchange.handle(Event::ResponseBody { piece, end });
    let written = outcome.effects.into_iter().find_map(|effect| match effect {
        Effect::ReplaceResponseBody(bytes) => Some(bytes),
        _ => None,
    });
    written.unwrap_or_else(|| piece.to_vec())
}

fn joined(body: &Value) -> Vec<u8> {
    let parts = body["parts"].as_array().unwrap().iter();
    parts
        .flat_map(|part| match part["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => BASE64.decode(part["base64"].as_str().unwrap()).unwrap(),
        })
        .collect()
}

fn text(body: &Value) -> String {
    String::from_utf8(joined(body)).unwrap()
}

fn event(text: &str) -> String {
    let delta = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {delta}\n\n")
}

#[test]
fn bodies_are_masked_in_the_record_whatever_the_exchange_has() {
    for rules in [
        json!([{"name": "all", "then": "allow"}]),
        json!([{"name": "all", "then": "allow", "mask": ["pii"]}]),
        json!([{"name": "all", "then": "allow", "mask": ["pii", "ids"], "mask_request": ["pii"]}]),
        json!([{"name": "all", "then": "allow", "mask": ["ids"]}]),
    ] {
        let mut exchange = asked(&ruled(&rules));
        respond(&mut exchange, EVENTS);
        for (at, part) in ["write to jane", ".doe@exam", "ple.com now", " please. "]
            .iter()
            .enumerate()
        {
            exchange.now += Duration::from_millis(10);
            piece(&mut exchange, event(part).as_bytes(), at == 3);
        }
        let record = exchange.record();
        let bodies = &record["bodies"];
        assert_eq!(bodies["as"], "masked");
        assert_eq!(bodies["to"], Value::Null);
        assert_eq!(
            text(&bodies["request"]),
            ASKS.replace("ana@example.com", "[EMAIL]")
        );
        let said = text(&bodies["response"]);
        assert!(said.contains("[EMAIL]") && !said.contains("jane"), "{said}");
        assert!(!said.contains("ple.com"), "{said}");
        let parts = bodies["response"]["parts"].as_array().unwrap();
        let times: Vec<u64> = parts
            .iter()
            .filter_map(|part| part["after"].as_u64())
            .collect();
        assert!(times.len() > 1 && times.is_sorted(), "{times:?}");
    }
}

#[test]
fn what_is_only_counted_or_asked_about_is_hidden_in_the_record() {
    let sections = json!({
        "masks": {"seen": {"detect": [{"is": "email", "action": "alert"}]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["seen"]}],
    });
    let mut exchange = asked(&policy(&sections));
    respond(&mut exchange, JSON);
    let answer = r#"{"choices":[{"message":{"content":"ana@example.com"}}]}"#;
    assert_eq!(
        piece(&mut exchange, answer.as_bytes(), true),
        answer.as_bytes()
    );
    let record = exchange.record();
    assert_eq!(record["response"]["alerts"]["email"], 1);
    assert!(!record.to_string().contains("ana@example.com"), "{record}");
}

#[test]
fn unmasked_exchanges_go_as_they_come() {
    let mut exchange = asked(&policy(&json!({})));
    respond(&mut exchange, JSON);
    let answer = r#"{"choices":[{"message":{"content":"ana@example.com"}}]}"#;
    let outcome = exchange.handle(Event::ResponseBody {
        piece: answer.as_bytes(),
        end: true,
    });
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(outcome.effects.is_empty(), "{:?}", outcome.effects);
    let record = exchange.record();
    assert_eq!(
        text(&record["bodies"]["response"]),
        answer.replace("ana@example.com", "[EMAIL]")
    );
    assert_eq!(record["response"]["bytes_sent"], answer.len());
}

#[test]
fn a_rule_may_keep_nothing() {
    let rules = json!([
        {"name": "private", "then": "allow", "sessions": {"record": "metadata"}},
    ]);
    let mut exchange = Driven::new(&ruled(&rules));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    respond(&mut exchange, JSON);
    piece(&mut exchange, b"{}", true);
    assert_eq!(exchange.record()["bodies"], Value::Null);
}

#[test]
fn a_refused_prompt_is_kept_where_it_was_read() {
    let rules = json!([
        {"name": "no", "when": {"items": {"over": 0}}, "then": "deny"},
    ]);
    let mut exchange = Driven::new(&ruled(&rules));
    exchange.chat();
    reply(&exchange.whole(ASKS));
    let bodies = &exchange.record()["bodies"];
    assert_eq!(
        text(&bodies["request"]),
        ASKS.replace("ana@example.com", "[EMAIL]")
    );
    assert_eq!(bodies["response"], Value::Null);
}

#[test]
fn a_request_without_a_body_waits_for_nothing() {
    let mut exchange = Driven::new(&policy(&json!({})));
    let outcome = exchange.head("GET", "/v1/models", &[], true);
    assert_eq!(outcome.flow, Flow::Continue, "{outcome:?}");
    respond(&mut exchange, JSON);
    piece(&mut exchange, b"{\"data\":[]}", true);
    let bodies = exchange.record()["bodies"].clone();
    assert_eq!(bodies["request"], Value::Null);
    assert_eq!(text(&bodies["response"]), "{\"data\":[]}");
}

#[test]
fn nothing_else_keeps_bodies() {
    let mut exchange = Driven::new(&policy(&json!({"sessions": {}})));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    assert_eq!(exchange.record()["bodies"], Value::Null);
}

#[test]
fn signed_reasoning_passes_the_client_and_is_hidden_in_the_record() {
    let rules = json!([{"name": "all", "then": "allow", "mask": ["pii"]}]);
    let mut exchange = Driven::new(&ruled(&rules));
    let json = [("content-type", "application/json")];
    exchange.head("POST", "/v1/messages", &json, false);
    let asks = r#"{"model":"small-1","max_tokens":9,"messages":[]}"#;
    assert_eq!(exchange.whole(asks).flow, Flow::Continue);
    respond(&mut exchange, JSON);
    let answer = r#"{"content":[{"type":"thinking","thinking":"ana@example.com?","signature":"c2ln"},{"type":"text","text":"bob@example.com"}]}"#;
    let went = piece(&mut exchange, answer.as_bytes(), true);
    let went = String::from_utf8(went).unwrap();
    assert!(
        went.contains("ana@example.com?") && went.contains("[EMAIL]"),
        "{went}"
    );
    let record = exchange.record();
    assert!(!record.to_string().contains("@example"), "{record}");
}

#[test]
fn what_follows_a_sessions_head_is_no_body() {
    let to = sealed::identity().recipient().to_string();
    for bodies in [json!({}), json!({"as": "raw", "to": to})] {
        let sections = json!({
            "sessions": {"record": "full", "bodies": bodies},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"}],
        });
        let mut exchange = Driven::new(&policy(&sections));
        let headers = [("connection", "upgrade"), ("upgrade", "websocket")];
        let outcome = exchange.head("GET", "/v1/realtime", &headers, false);
        assert_eq!(outcome.flow, Flow::Continue, "{outcome:?}");
        respond(
            &mut exchange,
            &[(":status", "101"), ("upgrade", "websocket")],
        );
        assert_eq!(
            piece(&mut exchange, b"\x81\x05hello", false),
            b"\x81\x05hello"
        );
        let bodies = exchange.record()["bodies"].clone();
        assert_eq!(bodies["response"]["left_out"], "session", "{bodies}");
    }
}
