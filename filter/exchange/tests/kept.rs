//! What records keep of bodies.

use core::time::Duration;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Driven, bytes, compiled, reply};
use crate::exchange::{Closing, CompiledPolicy, Effect, Event, Flow};
use crate::record::age::{self, Identity};
use base::bytes::hex;

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

fn identity() -> Identity {
    let text = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    Identity::read(text).unwrap()
}

fn raw() -> Rc<CompiledPolicy> {
    let to = identity().recipient().to_string();
    policy(&json!({
        "sessions": {"record": "full", "digests": true, "bodies": {"as": "raw", "to": to}},
        "rules": [{"name": "all", "then": "allow", "mask": ["ids"]}],
    }))
}

#[test]
fn what_is_raw_can_be_opened_by_its_recipient_and_is_what_was_digested() {
    let mut exchange = Driven::new(&raw());
    exchange.exchange = exchange.exchange.with_seed(Some([5; 32]));
    exchange.chat();
    assert_eq!(exchange.whole(ASKS).flow, Flow::Continue);
    respond(&mut exchange, EVENTS);
    let mut went = piece(&mut exchange, event("ana@example.com ").as_bytes(), false);
    went.extend(piece(
        &mut exchange,
        event("078-05-1120 end. ").as_bytes(),
        true,
    ));
    let record = exchange.record();
    let bodies = &record["bodies"];
    assert_eq!(bodies["as"], "raw");
    assert_eq!(bodies["to"], identity().recipient().to_string());
    assert!(!record.to_string().contains("ana@example.com"));
    let opened = |which: &str| {
        let sealed = BASE64.decode(bodies[which]["age"].as_str().unwrap());
        age::open(&[identity()], &sealed.unwrap()).unwrap()
    };
    assert_eq!(opened("request"), ASKS.as_bytes());
    assert_eq!(opened("response"), went);
    for which in ["request", "response"] {
        let digest = hex(&Sha256::digest(opened(which)));
        assert_eq!(record[which]["digest"], digest, "{which}");
    }
}

#[test]
fn without_randomness_nothing_is_kept_raw() {
    let mut exchange = asked(&raw());
    respond(&mut exchange, JSON);
    piece(&mut exchange, b"{\"a\":\"ana@example.com\"}", true);
    let record = exchange.record();
    for which in ["request", "response"] {
        assert_eq!(record["bodies"][which]["left_out"], "not_sealed");
    }
    assert!(!record.to_string().contains("ana@example.com"));
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
fn what_cant_be_masked_is_not_kept_masked() {
    let head = |media, coding| {
        [
            (":status", "200"),
            ("content-type", media),
            ("content-encoding", coding),
        ]
    };
    for (headers, why) in [
        (head("image/png", "identity"), "no_text"),
        (head("application/json", "gzip"), "encoded"),
        (head("application/json", "unheard-of"), "unreadable"),
        (head("text/plain; charset=utf-16", "identity"), "unreadable"),
    ] {
        let mut exchange = asked(&policy(&json!({})));
        respond(&mut exchange, &headers);
        assert_eq!(
            piece(&mut exchange, b"\x89PNG ana@example.com", true),
            b"\x89PNG ana@example.com"
        );
        let record = exchange.record();
        assert_eq!(record["bodies"]["response"]["left_out"], why, "{headers:?}");
        assert_eq!(record["response"]["bytes_sent"], 20);
        assert!(!record.to_string().contains("ana@"), "{record}");
    }
}

#[test]
fn a_body_that_turns_out_unreadable_is_cut_there() {
    let sections = json!({"rules": [{"name": "all", "then": "allow"}]});
    let mut exchange = asked(&policy(&sections));
    let grpc = [
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ];
    respond(&mut exchange, &grpc);
    let sent = b"\0\0\0\x10 not a message of ana@example.com";
    assert_eq!(piece(&mut exchange, sent, true), sent);
    let record = exchange.record();
    assert_eq!(
        record["bodies"]["response"]["cut"], "unreadable",
        "{record}"
    );
    assert!(!record.to_string().contains("ana@"), "{record}");
}

#[test]
fn what_is_kept_is_bounded_by_the_policy_and_by_memory() {
    let sessions = json!({"record": "full", "bodies": {"request": "10B", "response": "1KiB"}});
    let limits = json!({"sessions": sessions, "limits": {"buffers": "32MiB"}});
    for (taken, cut) in [(0, "limit"), ((32 << 20) - 512, "memory")] {
        let compiled = policy(&limits);
        let mut exchange = asked(&compiled);
        let held = compiled.hold(taken);
        respond(&mut exchange, EVENTS);
        let long = event(&"words and words. ".repeat(100));
        for _ in 0..3 {
            assert_eq!(
                piece(&mut exchange, long.as_bytes(), false),
                long.as_bytes()
            );
        }
        let bodies = exchange.record()["bodies"].clone();
        assert_eq!(joined(&bodies["request"]), ASKS.as_bytes()[..10]);
        assert_eq!(bodies["request"]["cut"], "limit");
        assert_eq!(bodies["response"]["cut"], cut);
        assert!(joined(&bodies["response"]).len() <= 1024);
        drop((exchange, held));
        assert_eq!(compiled.buffered_bytes(), 0);
    }
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
fn digests_alone_keep_nothing_else() {
    let sections = json!({
        "sessions": {"record": "full", "bodies": {"as": "digests"}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    });
    let mut exchange = asked(&policy(&sections));
    respond(&mut exchange, JSON);
    let sent = piece(&mut exchange, b"{\"a\":1}", true);
    let record = exchange.record();
    assert_eq!(record["bodies"], Value::Null);
    assert_eq!(record["request"]["digest"], hex(&Sha256::digest(ASKS)));
    assert_eq!(record["response"]["digest"], hex(&Sha256::digest(sent)));

    // Of what holds no text as well, which no mask reads.
    let mut exchange = asked(&policy(&sections));
    respond(
        &mut exchange,
        &[(":status", "200"), ("content-type", "image/png")],
    );
    let sent = piece(&mut exchange, b"\x89PNG\r\n", true);
    let record = exchange.record();
    assert_eq!(record["response"]["digest"], hex(&Sha256::digest(sent)));
}

#[test]
fn the_beginning_of_a_value_that_broke_off_is_not_kept() {
    for (closing, kept) in [
        (
            Closing {
                answered: true,
                ..Closing::default()
            },
            true,
        ),
        (
            Closing {
                answered: true,
                flags: Some(1 << 14),
                ..Closing::default()
            },
            false,
        ),
        (
            Closing {
                answered: true,
                flags: Some(1 << 3),
                ..Closing::default()
            },
            false,
        ),
    ] {
        let mut exchange = asked(&policy(&json!({})));
        respond(&mut exchange, EVENTS);
        piece(
            &mut exchange,
            event("write to jane.doe@exampl").as_bytes(),
            kept,
        );
        let record = exchange.closed(&closing);
        let body = &record["bodies"]["response"];
        assert_eq!(text(body).contains("jane.doe"), kept, "{body}");
        assert_eq!(body["cut"] == "broken", !kept, "{body}");
    }
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
fn a_request_that_is_only_kept_is_not_refused_for_its_encoding() {
    for coding in ["aws-chunked", "gzip"] {
        let mut exchange = Driven::new(&policy(&json!({})));
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", coding),
        ];
        exchange.head("POST", "/v1/chat/completions", &headers, false);
        let outcome = exchange.whole("5;sig\r\nana@example.com");
        assert_eq!(outcome.flow, Flow::Continue, "{outcome:?}");
        let record = exchange.record();
        assert_eq!(record["bodies"]["request"]["left_out"], "encoded");
        assert!(!record.to_string().contains("ana@"), "{record}");
    }
}

#[test]
fn a_call_that_may_be_a_conversation_waits_for_nothing() {
    let rules = json!([{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"}]);
    for path in [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/some.Service/Method",
    ] {
        let mut exchange = Driven::new(&ruled(&rules));
        let headers = [("content-type", "application/grpc"), ("te", "trailers")];
        let outcome = exchange.head("POST", path, &headers, false);
        assert_eq!(outcome.flow, Flow::Continue, "{path}");
        let bodies = exchange.record()["bodies"].clone();
        assert_eq!(bodies["request"]["left_out"], "client_stream", "{path}");
    }
}

#[test]
fn what_follows_a_sessions_head_is_no_body() {
    let to = identity().recipient().to_string();
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

#[test]
fn what_was_withheld_is_not_kept_as_sent() {
    let sections = json!({
        "masks": {"cut": {"detect": ["email"], "action": "cut"}},
        "rules": [{"name": "all", "then": "allow", "mask": ["cut"]}],
    });
    let mut exchange = asked(&policy(&sections));
    respond(&mut exchange, JSON);
    let answer = r#"{"choices":[{"message":{"content":"ana@example.com"}}]}"#;
    let outcome = exchange.handle(Event::ResponseBody {
        piece: answer.as_bytes(),
        end: true,
    });
    assert_eq!(super::code(&outcome), "match_withheld");
    let bodies = exchange.record()["bodies"].clone();
    assert_eq!(bodies["response"]["left_out"], "not_sent");
}

#[test]
fn an_encoded_answer_that_is_only_kept_needs_no_room_to_be_decoded() {
    let limits = json!({"limits": {"buffers": "32MiB"}});
    let compiled = policy(&limits);
    let mut exchange = asked(&compiled);
    let _held = compiled.hold((32 << 20) - 4096);
    let headers = [
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-encoding", "br"),
    ];
    respond(&mut exchange, &headers);
    assert_eq!(piece(&mut exchange, b"\x0b\x02", true), b"\x0b\x02");
    let record = exchange.record();
    assert_eq!(record["bodies"]["response"]["left_out"], "encoded");
    assert_eq!(record["response"]["code"], Value::Null);
}
