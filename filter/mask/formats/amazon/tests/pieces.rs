//! Bodies that go in pieces through messages, as SageMaker's InvokeEndpointWithResponseStream sends
//! what the model's own server streams: `PayloadPart` and its exceptions in botocore's service model
//! `sagemaker-runtime`.

use serde_json::json;

use super::super::super::tests::mask;
use super::super::super::{Format, Framing, WalkError, Walker};
use super::{exception, message, read};

fn part(bytes: &[u8]) -> Vec<u8> {
    message("PayloadPart", "application/octet-stream", bytes)
}

/// A body whose parts are of this form, masked after checking that it is alike in any pieces.
fn run(format: Option<Format>, body: &[u8]) -> Result<Vec<u8>, WalkError> {
    let mask = mask();
    let framing = Framing {
        payload: format,
        ..Framing::default()
    };
    let masked = |size: usize| {
        let mut walker = Walker::framed(Format::AmazonEvents, framing);
        let mut out = Vec::new();
        for piece in body.chunks(size) {
            walker.push(&mask, piece, &mut out)?;
        }
        walker.finish(&mask, &mut out)?;
        assert_eq!(walker.held(), 0);
        Ok(out)
    };
    let whole = masked(body.len().max(1));
    for size in [1, 7, 64] {
        assert_eq!(masked(size), whole);
    }
    whole
}

/// What is in the parts of a body.
fn joined(body: &[u8]) -> String {
    let bytes = read(body).into_iter().flat_map(|message| message.payload);
    String::from_utf8(bytes.collect()).expect("UTF-8")
}

/// TGI's container (`text/event-stream`), DJL's (JSON lines), and a text.
#[test]
fn the_body_in_the_parts_is_masked_wherever_parts_and_texts_are_cut() {
    let events = |texts: [&str; 2]| {
        texts
            .map(|text| format!("data: {}\n\n", json!({"index": 1, "token": {"text": text}})))
            .concat()
    };
    let lines = |texts: [&str; 2]| {
        texts
            .map(|text| format!("{}\n", json!({"token": {"text": text}})))
            .concat()
    };
    for (format, before, after) in [
        (
            Format::Events,
            events(["ana@exam", "ple.com, "]),
            events(["[EMAIL]", ", "]),
        ),
        (
            Format::Lines,
            lines(["ana@exam", "ple.com, "]),
            lines(["[EMAIL]", ", "]),
        ),
        (
            Format::Text,
            "to ana@example.com, é".to_owned(),
            "to [EMAIL], é".to_owned(),
        ),
    ] {
        for first in 0..=before.len() {
            let bytes = before.as_bytes();
            let second = first + (bytes.len() - first) / 2;
            let body = [
                part(&bytes[..first]),
                part(&bytes[first..second]),
                part(&bytes[second..]),
            ];
            let out = run(Some(format), &body.concat()).expect("a stream");
            assert_eq!(joined(&out), after, "{format:?} cut at {first}");
            for message in read(&out) {
                assert_eq!(message.headers[0].1, "PayloadPart");
            }
        }
    }
}

#[test]
fn parts_that_come_as_whole_events_leave_as_such() {
    let event = |text: &str| format!("data: {}\n\n", json!({"token": {"text": text}}));
    let body = [event("Hello "), event("to all "), event("of you. ")];
    let body = body.map(|event| part(event.as_bytes())).concat();
    assert_eq!(run(Some(Format::Events), &body), Ok(body));
}

#[test]
fn an_exception_ends_the_body_in_the_parts() {
    let end = |mail: &str| {
        exception(
            "ModelStreamError",
            &json!({"Message": mail, "ErrorCode": "StreamBroken"}),
        )
    };
    let body = [
        part(b"to ana@exam"),
        part(b"ple.com"),
        end("bob@example.com"),
    ]
    .concat();
    let expected = [part(b"to "), part(b"[EMAIL]"), end("[EMAIL]")].concat();
    assert_eq!(run(Some(Format::Text), &body), Ok(expected));
}

#[test]
fn parts_of_no_known_form_are_refused() {
    let body = part(b"to ana@example.com");
    assert_eq!(run(None, &body), Err(WalkError::UnknownPart));
    assert_eq!(
        run(Some(Format::AmazonEvents), &part(&body)),
        Err(WalkError::UnknownPart)
    );
    assert_eq!(run(None, &part(b"")), Ok(part(b"")));
    assert_eq!(run(Some(Format::Text), &part(b"")), Ok(part(b"")));
}
