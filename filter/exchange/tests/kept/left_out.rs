//! What is left out of a body, and why.

use serde_json::{Value, json};

use super::{ASKS, EVENTS, JSON, asked, event, joined, piece, policy, respond, ruled, text};
use crate::exchange::tests::{Driven, code};
use crate::exchange::{Closing, Event, Flow};

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
    assert_eq!(code(&outcome), "match_withheld");
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
