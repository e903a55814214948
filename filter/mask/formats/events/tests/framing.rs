//! What an event stream is made of around its texts.

use super::super::super::tests::{
    files, mask, mask_with, masked, masked_text, try_pieces, vectors,
};
use super::super::super::{Format, Walker};
use super::{events, payloads};
use crate::policy::Style;

#[test]
fn framing_stays_byte_for_byte() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = [
            "\u{feff}: comment",
            "retry: 10",
            "",
            "",
            "id",
            "id: alice@example.com",
            "event:x",
            "data:{\"a\": 1}",
            "foo: bar",
            "",
            ": a",
            "",
            "data",
            "",
            "data: x",
            "data:y",
            ": between",
            "data:  z",
            "",
            "data: [DONE]",
            "",
            "data: cut",
        ]
        .join(end);
        assert_eq!(events(&stream), stream);
    }
    assert_eq!(
        events("data: a\r\rdata: b\n\r\n\ndata: c\r\n\n"),
        "data: a\r\rdata: b\n\r\n\ndata: c\r\n\n"
    );
}

#[test]
fn the_line_feed_of_a_blank_line_leaves_with_its_event() {
    let mask = mask();
    let mut walker = Walker::new(Format::Events);
    let mut out = Vec::new();
    walker
        .push(&mask, b"data: {\"a\":1}\r\n\r\n", &mut out)
        .expect("a stream");
    assert_eq!(out, b"data: {\"a\":1}\r\n\r\n");
    assert_eq!(walker.held(), 0);
}

#[test]
fn data_that_is_not_json_is_one_text() {
    assert_eq!(
        events("data: al\n\ndata: ice@exam\n\n: x\n\ndata:ple.com\n\ndata:  b\n\ndata: [DONE]\n\n"),
        "data: [EMAIL]\n\ndata: \n\n: x\n\ndata:\n\ndata:  b\n\ndata: [DONE]\n\n"
    );
    assert_eq!(
        events("data: 4111\n\ndata:  1111\n\ndata: {}\n\ndata:  1111\n\n"),
        "data: 4111\n\ndata:  1111\n\ndata: {}\n\ndata:  1111\n\n"
    );
    assert_eq!(
        events("data: 4111\n\ndata:  1111\n\ndata:  1111\n\ndata:  1111\n\n"),
        "data: [CREDIT_CARD]\n\ndata: \n\ndata: \n\ndata: \n\n"
    );
    assert_eq!(
        events("data: {\"a\":\"alice@example.com\n\n"),
        "data: {\"a\":\"[EMAIL]\n\n"
    );
}

#[test]
fn a_match_over_lines_of_one_event_joins_them() {
    let mask = mask_with(&[("TWO", "one\ntwo")], Style::Label);
    let stream = |body: &str| masked_text(&mask, Format::Events, body);
    assert_eq!(
        stream("data: a one\r\ndata:two b\r\n\r\n"),
        "data: a [TWO] b\r\n\r\n"
    );
    // What stands between the lines stays.
    assert_eq!(
        stream("data: one\nid: 1\ndata: two\n\n"),
        "data: [TWO]\nid: 1\ndata: \n\n"
    );
    assert_eq!(payloads("data: a [TWO] b\r\n\r\n"), ["a [TWO] b"]);
}

#[test]
fn json_over_several_lines_is_json() {
    assert_eq!(
        events(
            "data: {\"choices\":[{\ndata: \"delta\":{\"content\":\ndata:\"alice@exam\"}}]}\n\ndata: {\"choices\":[{\"delta\":\n: bob@example.com\ndata:{\"content\":\"ple.com\"}}]}\n\n"
        ),
        "data: {\"choices\":[{\ndata: \"delta\":{\"content\":\ndata:\"[EMAIL]\"}}]}\n\ndata: {\"choices\":[{\"delta\":\n: [EMAIL]\ndata:{\"content\":\"\"}}]}\n\n"
    );
}

#[test]
fn what_is_no_field_is_masked() {
    assert_eq!(
        events("{\"error\": \"alice@example.com\"}\nalice@example.com\n\n: bob@example.com"),
        "{\"error\": \"[EMAIL]\"}\n[EMAIL]\n\n: [EMAIL]"
    );
}

#[test]
fn deep_payloads_are_masked() {
    let deep = 50_000;
    let body = format!(
        "data: {{\"delta\":{}\"alice@example.com\"{}}}\n\n",
        "[".repeat(deep),
        "]".repeat(deep)
    );
    let out = try_pieces(&mask(), Format::Events, body.as_bytes(), &[]).expect("a stream");
    assert_eq!(
        String::from_utf8(out).expect("UTF-8"),
        body.replace("alice@example.com", "[EMAIL]")
    );
}

#[test]
fn foreign_streams_stay_as_they_are() {
    let Some(folder) = vectors("llm-streams") else {
        return;
    };
    let mask = mask();
    for (path, body) in files(&folder) {
        assert_eq!(masked(&mask, Format::Events, &body), body, "{path:?}");
    }
}

#[test]
fn foreign_broken_json_in_events_never_panics() {
    let Some(folder) = vectors("json-test-suite") else {
        return;
    };
    let mask = mask();
    for (path, body) in files(&folder) {
        let mut event = b"data: ".to_vec();
        event.extend(&body);
        event.extend(b"\n\n");
        let out = try_pieces(&mask, Format::Events, &event, &[]).expect("a stream");
        if body.len() < 2000 {
            assert_eq!(masked(&mask, Format::Events, &event), out, "{path:?}");
        }
    }
}
