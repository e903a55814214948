//! Answers that end with an error in their stream.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, compiled};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

fn cutting() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "masks": {"m": {"detect": ["ip", {"is": "email", "action": "cut"}]}},
        "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["m"]}],
    }))
}

/// An exchange whose answer to this path has begun, with these headers.
fn answering(path: &str, request: &[(&str, &str)], answer: &[(&str, &str)]) -> Driven {
    let mut exchange = Driven::new(&cutting());
    exchange.head("POST", path, request, false);
    let mut headers = vec![(":status", "200")];
    headers.extend(answer);
    let headers = bytes(&headers);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    });
    exchange
}

fn body(exchange: &mut Driven, piece: &str, end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody {
        piece: piece.as_bytes(),
        end,
    })
}

fn sent(outcome: &Outcome) -> String {
    match outcome.effects.as_slice() {
        [Effect::ReplaceResponseBody(bytes)] => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const EVENTS: (&str, &str) = ("content-type", "text/event-stream");
const LINES: (&str, &str) = ("content-type", "application/x-ndjson");

fn chunk(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

/// The client's own error, and nothing else, is all that follows.
fn is_told(exchange: &mut Driven, outcome: &Outcome) -> String {
    assert_eq!(outcome.flow, Flow::Continue, "{outcome:?}");
    let error = sent(outcome);
    for (piece, end) in [
        ("data: [DONE]\n\n", false),
        (" more of ana@example.com", true),
    ] {
        let late = body(exchange, piece, end);
        assert_eq!((sent(&late).as_str(), late.flow), ("", Flow::Continue));
    }
    let trailers = bytes(&[("x-quoted", "ana@example.com")]);
    let late = exchange.handle(Event::ResponseTrailers {
        trailers: &trailers,
    });
    let gone = Effect::RemoveResponseTrailer("x-quoted".to_owned());
    assert_eq!((late.effects, late.flow), (vec![gone], Flow::Continue));
    let record = exchange.record();
    assert_eq!(record["response"]["code"], "match_withheld");
    assert_eq!(record["response"]["matches"], json!({"email": 1}));
    error
}

#[test]
fn a_stream_that_is_cut_ends_with_an_error_in_its_dialect() {
    // What clients raise: openai-python and openai-node take any event whose data has `error`
    // (src/openai/_streaming.py, src/core/streaming.ts), anthropic-sdk-python one named `error`
    // (src/anthropic/_streaming.py).
    for (path, request, name) in [
        ("/v1/chat/completions", vec![JSON], None),
        ("/v1/completions", vec![JSON], None),
        ("/v1/responses", vec![JSON], Some("error")),
        (
            "/v1/messages",
            vec![JSON, ("anthropic-version", "2023-06-01")],
            Some("error"),
        ),
        ("/generate_stream", vec![JSON], None),
    ] {
        let mut exchange = answering(path, &request, &[EVENTS]);
        let first = body(&mut exchange, &chunk("hello "), false);
        assert_eq!(sent(&first), chunk("hello "), "{path}");
        let outcome = body(&mut exchange, &chunk("ana@example.com is"), false);
        let error = is_told(&mut exchange, &outcome);
        let data = match name {
            Some(name) => error.strip_prefix(&format!("event: {name}\n")).unwrap(),
            None => &error,
        };
        let data = data.strip_prefix("data: ").unwrap();
        let data = data.strip_suffix("\n\n").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert!(
            data["error"].to_string().contains("does not let through"),
            "{path}: {data}"
        );
        if path == "/v1/responses" {
            // As its streams say an error (openai-python, types/responses/response_error_event.py).
            assert_eq!(
                (&data["type"], &data["code"]),
                (&json!("error"), &json!("match_withheld"))
            );
        }
        assert!(
            !error.contains("DONE") && !error.contains("ana@"),
            "{error}"
        );
    }
}

#[test]
fn lines_that_are_cut_end_with_an_error_too() {
    for media in [
        LINES,
        JSON,
        ("content-type", "application/json; charset=utf-8"),
    ] {
        lines_end_with_an_error(media);
    }
}

fn lines_end_with_an_error(media: (&str, &str)) {
    // ollama-python raises a line that has `error` (ollama/_client.py).
    let line = |text: &str| format!("{{\"message\":{{\"content\":\"{text}\"}},\"done\":false}}\n");
    let mut exchange = answering("/api/chat", &[JSON], &[media]);
    body(&mut exchange, &line("hello "), false);
    let outcome = body(&mut exchange, &line("ana@example.com is"), false);
    let error = is_told(&mut exchange, &outcome);
    let error: Value = serde_json::from_str(error.strip_suffix('\n').unwrap()).unwrap();
    assert!(
        error["error"]
            .as_str()
            .unwrap()
            .starts_with("match_withheld: ")
    );
}

#[test]
fn a_body_that_can_not_be_masked_ends_with_an_error_as_well() {
    let mut exchange = answering("/v1/chat/completions", &[JSON], &[EVENTS]);
    body(&mut exchange, &chunk("hello "), false);
    let long = format!("data: {}", "x".repeat(5 << 20));
    let outcome = body(&mut exchange, &long, false);
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(
        sent(&outcome).contains("\"code\":\"piece_too_large\""),
        "{outcome:?}"
    );
}

#[test]
fn what_has_no_way_to_say_it_is_broken_off() {
    let lines = "{\"a\":\"hello\"}\n";
    let events = chunk("hello");
    for (path, media, first) in [
        // No parts between which something can be said.
        (
            "/v1/chat/completions",
            ("content-type", "text/plain"),
            "hello ",
        ),
        ("/v1/chat/completions", JSON, "[\"hello\","),
        ("/v1/chat/completions", JSON, lines),
        // A whole answer, and not lines.
        ("/api/chat", JSON, "{\"message\":\n"),
        // No way in which clients of the dialect would raise it.
        ("/v1/chat/completions", LINES, lines),
        ("/api/chat", EVENTS, &events),
        ("/v1beta/models/m:streamGenerateContent", EVENTS, &events),
        // Nobody knows what its clients do.
        ("/somewhere", EVENTS, &events),
    ] {
        let mut exchange = answering(path, &[JSON], &[media, ("transfer-encoding", "chunked")]);
        body(&mut exchange, first, false);
        let outcome = body(&mut exchange, "data: \"ana@example.com \"\n\n", false);
        let cut = [Effect::ReplaceResponseBody(Vec::new()), Effect::CutResponse];
        assert_eq!(
            (&outcome.effects[..], outcome.flow),
            (&cut[..], Flow::Hold),
            "{path}"
        );
    }
}

#[test]
fn lines_that_are_called_json_say_that_a_line_is_too_long() {
    let mut exchange = answering(
        "/api/chat",
        &[JSON],
        &[JSON, ("transfer-encoding", "chunked")],
    );
    body(&mut exchange, "{\"response\":\"hello\"}\n", false);
    let outcome = body(&mut exchange, &"x".repeat(5 << 20), false);
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(sent(&outcome).contains("piece_too_large: "), "{outcome:?}");
}

#[test]
fn an_error_that_only_trailers_lead_to_breaks_the_answer_off() {
    let mut exchange = answering("/v1/chat/completions", &[JSON], &[EVENTS]);
    body(&mut exchange, &chunk("hello "), false);
    body(&mut exchange, "data: ana@example.com", false);
    let outcome = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    assert!(
        outcome.effects.contains(&Effect::CutResponse),
        "{outcome:?}"
    );
}

#[test]
fn a_model_server_that_sends_on_and_on_is_broken_off() {
    let mut exchange = answering("/v1/chat/completions", &[JSON], &[EVENTS]);
    body(&mut exchange, &chunk("hello "), false);
    body(&mut exchange, &chunk("ana@example.com "), false);
    let piece = "x".repeat(1 << 19);
    for _ in 0..2 {
        assert_eq!(body(&mut exchange, &piece, false).flow, Flow::Continue);
    }
    let outcome = body(&mut exchange, "x", false);
    let cut = [Effect::ReplaceResponseBody(Vec::new()), Effect::CutResponse];
    assert_eq!((&outcome.effects[..], outcome.flow), (&cut[..], Flow::Hold));
    assert_eq!(exchange.record()["response"]["code"], "match_withheld");
}
