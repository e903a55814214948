//! What records say of an exchange besides its verdict.

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Driven, bytes, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};
use base::bytes::hex;

fn masked(sections: &Value) -> Rc<CompiledPolicy> {
    let mut policy = json!({
        "masks": {"pii": {"detect": ["email"]}},
        "sessions": {"digests": true},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    });
    policy
        .as_object_mut()
        .unwrap()
        .extend(sections.as_object().unwrap().clone());
    compiled(&policy)
}

fn respond(exchange: &mut Driven, media: &str) -> Outcome {
    let headers = bytes(&[(":status", "200"), ("content-type", media)]);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    })
}

/// What of a piece goes on.
fn piece(exchange: &mut Driven, piece: &str, end: bool) -> Vec<u8> {
    let outcome = exchange.handle(Event::ResponseBody {
        piece: piece.as_bytes(),
        end,
    });
    let written = outcome.effects.iter().find_map(|effect| match effect {
        Effect::ReplaceResponseBody(bytes) => Some(bytes.clone()),
        _ => None,
    });
    written.unwrap_or_else(|| piece.as_bytes().to_vec())
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[test]
fn tokens_are_read_where_the_dialect_has_them_streamed_or_not() {
    // https://platform.openai.com/docs/api-reference/chat: the last event has the usage.
    let streamed = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"7 \"}}],\"usage\":null}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":10,\"total_tokens\":29,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\n\n",
        "data: [DONE]\n\n",
    );
    let whole = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"ana@example.com"}}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":8}}}"#;
    let tokens = json!({"prompt": 19, "completion": 10, "cached": 8, "total": 29});
    for (media, body, is_streamed, expected) in [
        ("text/event-stream", streamed, true, tokens.clone()),
        (
            "text/event-stream",
            &streamed.replace('\n', "\r\n"),
            true,
            tokens.clone(),
        ),
        ("application/json", whole, false, tokens),
        ("application/json", r#"{"choices":[]}"#, false, Value::Null),
        ("text/plain", "usage", false, Value::Null),
    ] {
        for cut in (0..=body.len()).filter(|cut| body.is_char_boundary(*cut)) {
            let mut exchange = Driven::new(&masked(&json!({})));
            assert_eq!(exchange.chat().flow, Flow::Continue);
            respond(&mut exchange, media);
            let (first, second) = body.split_at(cut);
            let mut sent = piece(&mut exchange, first, false);
            sent.extend(piece(&mut exchange, second, true));
            let record = exchange.record();
            let response = &record["response"];
            assert_eq!(response["tokens"], expected, "{media} cut at {cut}");
            assert_eq!(response["streamed"], is_streamed, "{media}");
            assert_eq!(response["digest"], digest(&sent), "{media} cut at {cut}");
        }
    }
}

#[test]
fn a_response_that_nobody_looks_at_says_nothing_of_its_body() {
    let mut exchange = Driven::new(&compiled(&json!({"sessions": {"digests": true}})));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    respond(&mut exchange, "text/event-stream");
    let record = exchange.record();
    for member in ["streamed", "tokens", "bytes_sent", "digest"] {
        assert_eq!(record["response"][member], Value::Null, "{member}");
    }
    assert_eq!(record["request"]["digest"], Value::Null);
    assert_eq!(record["timing"]["first_byte"], Value::Null);
}

#[test]
fn a_request_is_digested_as_the_model_server_gets_it() {
    let body = r#"{"model":"small-1","messages":[{"role":"user","content":"ana@example.com"}]}"#;
    let masks = json!([{"name": "all", "then": "allow", "mask_request": ["pii"]}]);
    let reads = json!([
        {"name": "big", "when": {"items": {"over": 5}}, "then": "deny"},
        {"name": "all", "then": "allow"},
    ]);
    for (rules, sent) in [
        (masks, body.replace("ana@example.com", "[EMAIL]")),
        (reads, body.to_owned()),
    ] {
        for digests in [true, false] {
            let sections = json!({"rules": rules, "sessions": {"digests": digests}});
            let mut exchange = Driven::new(&masked(&sections));
            exchange.chat();
            assert_eq!(exchange.whole(body).flow, Flow::Continue);
            let expected = if digests {
                json!(digest(sent.as_bytes()))
            } else {
                Value::Null
            };
            assert_eq!(exchange.record()["request"]["digest"], expected);
        }
    }
    let denies = json!({"rules": [{"name": "no", "when": {"items": {"over": 0}}, "then": "deny"}]});
    let mut exchange = Driven::new(&masked(&denies));
    exchange.chat();
    reply(&exchange.whole(body));
    assert_eq!(exchange.record()["request"]["digest"], Value::Null);
}

#[test]
fn the_rules_that_were_tried_are_told_with_what_came_of_each() {
    let rules = json!([
        {"name": "ops", "when": {"group": ["ops"]}, "then": "allow"},
        {"name": "bulk", "when": {"items": {"over": 1}}, "then": "deny", "message": "One at a time."},
        {"name": "all", "then": "allow"},
        {"name": "never", "then": "deny"},
    ]);
    let policy = masked(&json!({"rules": rules}));
    let waiting = || {
        let mut exchange = Driven::new(&policy);
        exchange.chat();
        exchange
    };
    let ask = |n: u64| format!(r#"{{"model":"small-1","n":{n},"messages":[]}}"#);
    let tried = |came: &[(&str, &str)]| -> Value {
        let came = came.iter();
        came.map(|(rule, came)| json!({"rule": rule, "came": came}))
            .collect()
    };
    let record = waiting().record();
    assert_eq!(record["rules"], tried(&[("ops", "no"), ("bulk", "untold")]));
    assert_eq!(record["verdict"]["action"], "none");

    let mut exchange = waiting();
    assert_eq!(exchange.whole(&ask(1)).flow, Flow::Continue);
    let record = exchange.record();
    let all = [("ops", "no"), ("bulk", "no"), ("all", "allow")];
    assert_eq!(record["rules"], tried(&all));
    assert_eq!(record["verdict"]["reason"], Value::Null);

    let mut exchange = waiting();
    reply(&exchange.whole(&ask(2)));
    let record = exchange.record();
    assert_eq!(record["rules"], tried(&[("ops", "no"), ("bulk", "deny")]));
    assert_eq!(record["verdict"]["reason"], "One at a time.");
}

#[test]
fn what_quotas_have_left_is_told() {
    let sections = json!({
        "quotas": {
            "person": {"by": ["subject"], "count": "requests", "limit": 2, "per": "1h"},
            "inputs": {"by": ["subject"], "count": "items", "limit": 10, "per": "1h"},
        },
        "rules": [{"name": "all", "then": "allow", "quota": ["person", "inputs"]}],
    });
    let policy = masked(&sections);
    let mut store = None;
    for left in [1_u64, 0] {
        let mut exchange = Driven::new(&policy);
        exchange.store = store.take().unwrap_or_else(|| Rc::clone(&exchange.store));
        store = Some(Rc::clone(&exchange.store));
        exchange.chat();
        let body = r#"{"model":"small-1","n":3,"messages":[]}"#;
        assert_eq!(exchange.whole(body).flow, Flow::Continue);
        let told = |quota: &str, amount: u64, limit: u64, remaining: u64| {
            json!({
                "quota": quota, "amount": amount, "limit": limit, "remaining": remaining,
                "key": ["subject", "corp", "jane"], "at": 0, "until": 3_601_171,
            })
        };
        assert_eq!(
            exchange.record()["verdict"]["charges"],
            json!([
                told("person", 1, 2, left),
                told("inputs", 3, 10, 4 + 3 * left),
            ])
        );
    }
    let mut exchange = Driven::new(&policy);
    exchange.store = store.unwrap();
    exchange.chat();
    reply(&exchange.whole(r#"{"model":"small-1","messages":[]}"#));
    let verdict = &exchange.record()["verdict"];
    assert_eq!(verdict["charges"], json!([]));
    let reason = verdict["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("The quota \"person\" is used up."),
        "{reason}"
    );
}

#[test]
fn the_first_byte_is_timed_when_it_goes() {
    let mut exchange = Driven::new(&masked(&json!({})));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    respond(&mut exchange, "text/event-stream");
    for after in [5, 7, 9] {
        exchange.now += Duration::from_millis(after);
        let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a b. \"}}]}\n\n";
        // The first piece holds no whole event yet.
        let (first, _) = event.split_at(if after == 5 { 8 } else { event.len() });
        piece(&mut exchange, first, false);
    }
    exchange.now += Duration::from_millis(100);
    let record = exchange.record();
    assert_eq!(record["timing"]["first_byte"], 12);
    assert_eq!(record["timing"]["total"], 121);
}
