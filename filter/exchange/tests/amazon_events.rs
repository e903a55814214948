//! AWS's event streams, whose heads wait for what shows that they are such.
//!
//! Messages are written by Smithy's "Amazon Event Stream Specification".

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Bodies, Driven, bytes, code, compiled, reply};
use crate::exchange::{CompiledPolicy, Direction, Effect, Event, Flow, Outcome};

const MEDIA: &str = "application/vnd.amazon.eventstream";

fn masked(mask: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "masks": {"pii": mask},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    }))
}

/// An answer of this type whose head has come, and what came of it.
fn begun(compiled: &Rc<CompiledPolicy>, headers: &[(&str, &str)]) -> (Driven, Outcome) {
    let mut exchange = Driven::new(compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    let outcome = head(&mut exchange, headers);
    (exchange, outcome)
}

fn head(exchange: &mut Driven, headers: &[(&str, &str)]) -> Outcome {
    let mut all = vec![(":status", "200"), ("content-type", MEDIA)];
    all.extend(headers);
    let headers = bytes(&all);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    })
}

fn body(exchange: &mut Driven, piece: &[u8], end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody { piece, end })
}

fn put(bytes: &[u8]) -> Vec<Effect> {
    vec![Effect::ReplaceResponseBody(bytes.to_vec())]
}

/// CRC-32 bit by bit.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 * (sum & 1))
        })
    });
    (!sum).to_be_bytes()
}

fn message(kind: &str, content: &str, payload: &str) -> Vec<u8> {
    let header = |name: &str, value: &str| {
        let name = [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&name[..], &[7], &length, value.as_bytes()].concat()
    };
    let headers = [
        header(":event-type", kind),
        header(":content-type", content),
        header(":message-type", "event"),
    ]
    .concat();
    let total = u32::try_from(headers.len() + payload.len() + 16).unwrap();
    let length = u32::try_from(headers.len()).unwrap();
    let mut message = [total.to_be_bytes(), length.to_be_bytes()].concat();
    message.extend(crc(&message));
    message.extend(headers);
    message.extend_from_slice(payload.as_bytes());
    message.extend(crc(&message));
    message
}

pub(super) fn delta(text: &str) -> Vec<u8> {
    let payload = json!({"contentBlockIndex": 0, "delta": {"text": text}});
    message(
        "contentBlockDelta",
        "application/json",
        &payload.to_string(),
    )
}

fn emails() -> Rc<CompiledPolicy> {
    masked(&json!({"detect": ["email"]}))
}

#[test]
fn a_head_waits_until_the_first_lengths_are_right() {
    let (mut exchange, outcome) = begun(&emails(), &[("etag", "x")]);
    let gone = Effect::RemoveResponseHeader("etag".to_owned());
    assert_eq!((outcome.flow, outcome.effects), (Flow::Hold, vec![gone]));
    let stream = [delta("to ana@exam"), delta("ple.com, "), delta("and ")].concat();
    let expected = [delta("to [EMAIL]"), delta(", "), delta("and ")].concat();
    let (first, rest) = stream.split_at(11);
    for piece in first.chunks(4) {
        let outcome = body(&mut exchange, piece, false);
        assert_eq!((outcome.flow, outcome.effects), (Flow::Hold, put(b"")));
        // Nor does a tick let it go.
        let tick = exchange.handle_as_host(Event::Tick);
        let resumes = Effect::Resume(Direction::Response);
        assert!(!tick.effects.contains(&resumes), "{tick:?}");
    }
    let (next, rest) = rest.split_at(1);
    let outcome = body(&mut exchange, next, false);
    // Trailers may follow: what is held is written before them.
    assert_eq!((outcome.flow, outcome.effects), (Flow::Hold, put(b"")));
    let tick = exchange.handle_as_host(Event::Tick);
    assert!(tick.effects.contains(&Effect::Resume(Direction::Response)));
    let outcome = body(&mut exchange, rest, true);
    assert_eq!(outcome.effects, put(&expected));
    let record = exchange.record();
    assert_eq!(record["response"]["masked"], true);
    assert_eq!(record["response"]["matches"], json!({"email": 1}));
    assert_eq!(record["response"]["bytes_received"], stream.len());
    assert_eq!(record["response"]["bytes_sent"], expected.len());
}

#[test]
fn a_head_goes_with_the_piece_that_shows_what_the_body_is() {
    let chunked = [("transfer-encoding", "chunked")];
    let (mut exchange, outcome) = begun(&emails(), &chunked);
    assert_eq!(outcome.flow, Flow::Hold);
    let whole = delta("Hello ");
    let outcome = body(&mut exchange, &whole, false);
    assert_eq!(
        (outcome.flow, outcome.effects),
        (Flow::Continue, put(&whole))
    );
    let outcome = body(&mut exchange, b"", true);
    assert_eq!((outcome.flow, outcome.effects), (Flow::Continue, put(b"")));

    let (mut exchange, _) = begun(&emails(), &chunked);
    let outcome = body(&mut exchange, b"", true);
    assert_eq!((outcome.flow, outcome.effects), (Flow::Continue, put(b"")));
}

#[test]
fn what_is_no_event_stream_is_answered_with_502() {
    let mut long = [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0].to_vec();
    long.extend(crc(&long));
    for (bad, expected) in [
        (&b"HTTP/1.1 200 OK"[..], "message_malformed"),
        (b"{\"message\":\"ana@example.com\"}", "message_malformed"),
        (&delta("x")[..11], "message_truncated"),
        (&delta("x")[..40], "message_truncated"),
        (&long, "piece_too_large"),
    ] {
        for size in [1, 5, 100] {
            let (mut exchange, _) = begun(&emails(), &[("transfer-encoding", "chunked")]);
            let mut last = None;
            for piece in bad.chunks(size) {
                let outcome = body(&mut exchange, piece, false);
                let replied = outcome
                    .effects
                    .iter()
                    .any(|it| matches!(it, Effect::Reply(_)));
                last = replied.then_some(outcome);
                if replied {
                    break;
                }
            }
            // A message that has only begun has shown what it is, and its head has gone.
            if last.is_none() && bad.len() > 12 {
                let outcome = body(&mut exchange, b"", true);
                assert!(outcome.effects.contains(&Effect::CutResponse), "{expected}");
                continue;
            }
            let outcome = last.unwrap_or_else(|| body(&mut exchange, b"", true));
            assert_eq!(reply(&outcome).status, 502);
            assert_eq!(code(&outcome), expected, "in pieces of {size}");
            let late = body(&mut exchange, b"more", true);
            assert_eq!((late.flow, late.effects), (Flow::Hold, put(b"")));
            assert_eq!(exchange.record()["response"]["bytes_sent"], 0);
        }
    }
    // Trailers end it too.
    let (mut exchange, _) = begun(&emails(), &[]);
    body(&mut exchange, b"\0\0", false);
    let outcome = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    assert_eq!(code(&outcome), "message_truncated");
}

#[test]
fn where_no_body_comes_while_its_head_waits_the_answer_is_refused() {
    let mut exchange = Driven::new(&emails());
    exchange.chat();
    exchange.bodies = Bodies::Withheld;
    let outcome = head(&mut exchange, &[]);
    assert_eq!(reply(&outcome).status, 503);
    assert_eq!(code(&outcome), "stop_iteration_off");
}

#[test]
fn an_answer_that_is_only_looked_at_does_not_wait() {
    let alert = masked(&json!({"detect": ["email"], "action": "alert"}));
    let (mut exchange, outcome) = begun(&alert, &[]);
    assert_eq!(outcome.flow, Flow::Continue);
    for piece in [&delta("to ana@example.com, ")[..], b"and what is none"] {
        let outcome = body(&mut exchange, piece, false);
        // It goes as it came.
        assert_eq!((outcome.flow, outcome.effects), (Flow::Continue, vec![]));
    }
    let record = exchange.record();
    assert_eq!(record["response"]["alerts"], json!({"email": 1}));
}

#[test]
fn sagemaker_says_what_goes_in_pieces_through_the_messages() {
    let part = |bytes: &str| message("PayloadPart", "application/octet-stream", bytes);
    let event = |text: &str| format!("data: {}\n\n", json!({"token": {"text": text}}));
    let name = "x-amzn-sagemaker-content-type";
    for media in ["text/event-stream", "Text/Event-Stream; charset=UTF-8"] {
        let (mut exchange, _) = begun(&emails(), &[(name, media)]);
        let stream = [event("ana@exam"), event("ple.com")];
        let outcome = body(&mut exchange, &stream.map(|it| part(&it)).concat(), true);
        let expected = part(&[event("[EMAIL]"), event("")].concat());
        assert_eq!(outcome.effects, put(&expected), "{media}");
    }
    // The model's server may have called it nothing, as it may any answer.
    for write in [event, |text: &str| {
        format!("{}\n", json!({"token": {"text": text}}))
    }] {
        let (mut exchange, _) = begun(&emails(), &[]);
        let stream = ["ana@exam", "ple.com"].map(write);
        let outcome = body(&mut exchange, &stream.map(|it| part(&it)).concat(), true);
        let expected = part(&["[EMAIL]", ""].map(write).concat());
        assert_eq!(outcome.effects, put(&expected));
    }
    for media in [
        "application/x-npy",
        "text/plain; charset=utf-16",
        "image/png",
    ] {
        let (mut exchange, _) = begun(&emails(), &[(name, media)]);
        let outcome = body(&mut exchange, &part("x"), true);
        assert_eq!(code(&outcome), "part_not_maskable", "{media}");
    }
    let (mut exchange, _) = begun(&emails(), &[(name, "text/plain"), (name, "text/csv")]);
    let outcome = body(&mut exchange, &part("x"), true);
    assert_eq!(code(&outcome), "part_not_maskable");
}

/// What clients send is signed message by message.
#[test]
fn a_request_in_this_form_can_not_be_masked() {
    let policy = compiled(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{
            "name": "all",
            "when": {"operation": ["*", "unknown"]},
            "then": "allow",
            "mask_request": ["pii"],
        }],
    }));
    let mut exchange = Driven::new(&policy);
    exchange.head("POST", "/unknown", &[("content-type", MEDIA)], false);
    let outcome = exchange.handle(Event::RequestWhole {
        body: &delta("to ana@example.com"),
    });
    assert_eq!(reply(&outcome).status, 415);
}
