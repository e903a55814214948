//! Frames and headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

use super::super::super::tests::{mask, mask_with, masked, try_pieces};
use super::super::super::{Format, WalkError, Walker};
use super::super::frame::{MAX_HEADERS_BYTES, MAX_MESSAGE_BYTES};
use super::{
    event, exception, framed, header, in_any_pieces, message, read, refused, said, typed, whole,
};
use crate::policy::Style;

/// A header of each type.
fn every_type() -> Vec<Vec<u8>> {
    vec![
        typed("yes", 0, b""),
        typed("no", 1, b""),
        typed("byte", 2, b"1"),
        typed("short", 3, b"12"),
        typed("integer", 4, b"1234"),
        typed("long", 5, b"12345678"),
        typed("bytes", 6, b"\x00\x04\xff\xfe\x00a"),
        header(":event-type", "metadata"),
        typed("time", 8, b"12345678"),
        typed("uuid", 9, b"0123456789abcdef"),
    ]
}

#[test]
fn with_nothing_to_mask_every_byte_stays() {
    let spaced = b" {\"contentBlockIndex\": 0,\r\n \"delta\": {\"text\": \"h\\u0069 \"}} ";
    let body = [
        event("messageStart", &json!({"role": "assistant"})),
        message("contentBlockDelta", "application/json", spaced),
        framed(&every_type(), b"{\"usage\":{\"inputTokens\":25}}"),
        framed(&every_type(), b""),
        framed(&[], b""),
        framed(&[], b"{}"),
        message(
            "contentBlockStop",
            "application/json; charset=utf-8",
            b"{\"contentBlockIndex\":0}",
        ),
        message("image", "image/png", b"\x89PNG alice@example.com"),
        exception("throttlingException", &json!({"message": "too many"})),
    ]
    .concat();
    assert_eq!(in_any_pieces(&body), body);
    assert_eq!(in_any_pieces(b""), b"");
}

#[test]
fn lengths_and_checksums_are_right_behind_a_mask() {
    for (style, label) in [
        (Style::Remove, ""),
        (Style::Label, "[LONGER THAN WHAT IT STANDS FOR]"),
    ] {
        let name = label.trim_matches(['[', ']']);
        let mask = mask_with(&[(name, "Q[0-9]")], style);
        let stream = |value: &str| {
            let text = format!("{value} ").repeat(40);
            let delta = json!({"contentBlockIndex": 0, "delta": {"text": text}});
            let stop = json!({"stopReason": value});
            let bytes = json!({"bytes": STANDARD.encode(json!({"generation": text}).to_string())});
            [
                event("contentBlockDelta", &delta),
                event("messageStop", &stop),
                event("chunk", &bytes),
            ]
            .concat()
        };
        let out = masked(&mask, Format::AmazonEvents, &stream("Q1"));
        assert_eq!(read(&out).len(), 3);
        assert_eq!(out, stream(label));
    }
}

#[test]
fn headers_with_strings_are_texts() {
    let with = |mail: &str| {
        framed(
            &[
                header(":message-type", "error"),
                header(":error-code", "bob@example.com"),
                header(":error-message", &format!("no such user: {mail}")),
                header("x-of", mail),
                typed(
                    "blob",
                    6,
                    &[
                        &[0, u8::try_from(mail.len()).expect("short")],
                        mail.as_bytes(),
                    ]
                    .concat(),
                ),
                typed("uuid", 9, b"123@example.com!"),
            ],
            b"",
        )
    };
    assert_eq!(in_any_pieces(&with("bob@example.com")), with("[EMAIL]"));
}

#[test]
fn whatever_bit_is_wrong_the_message_is_refused() {
    let good = event("messageStop", &json!({"stopReason": "end_turn"}));
    assert_eq!(refused(&good), None);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(refused(&bad), Some(WalkError::Malformed), "bit {bit}");
    }
    for cut in 1..good.len() {
        assert_eq!(refused(&good[..cut]), Some(WalkError::Truncated));
    }
    // What came before it is masked and sent.
    let mut out = Vec::new();
    let mut walker = Walker::new(Format::AmazonEvents);
    let body = [good.clone(), b"\0\0\0\x10\0\0\0\0nope".to_vec()].concat();
    let pushed = walker.push(&mask(), &body, &mut out);
    assert_eq!((pushed, out), (Err(WalkError::Malformed), good));
}

#[test]
fn lengths_are_bounded_before_anything_is_held() {
    let lengths = |total: usize, headers: usize| refused(&said(total, headers, b"")[..12]);
    assert_eq!(lengths(15, 0), Some(WalkError::Malformed));
    assert_eq!(lengths(0, 0), Some(WalkError::Malformed));
    assert_eq!(lengths(16, 1), Some(WalkError::Malformed));
    assert_eq!(lengths(100, u32::MAX as usize), Some(WalkError::Malformed));
    assert_eq!(lengths(u32::MAX as usize, 0), Some(WalkError::TooLarge));
    assert_eq!(lengths(MAX_MESSAGE_BYTES + 1, 0), Some(WalkError::TooLarge));
    assert_eq!(lengths(MAX_MESSAGE_BYTES, 0), Some(WalkError::Truncated));
    let over = MAX_HEADERS_BYTES + 1;
    assert_eq!(lengths(over + 16, over), Some(WalkError::TooLarge));
    assert_eq!(lengths(over + 15, over - 1), Some(WalkError::Truncated));

    let mask = mask();
    let text = "word ".repeat((MAX_MESSAGE_BYTES - 200) / 5);
    let body = event("other", &json!({"a": text}));
    let mut walker = Walker::new(Format::AmazonEvents);
    let mut out = Vec::new();
    for piece in body.chunks(100_000) {
        walker.push(&mask, piece, &mut out).expect("a message");
        assert!(walker.held() <= MAX_MESSAGE_BYTES);
    }
    assert!(out == body);
}

#[test]
fn headers_that_some_client_would_not_take_are_refused() {
    let telling = header(":event-type", "metadata");
    for headers in [
        // Lengths beyond the headers' end, types that are none, and a name that is missing.
        vec![vec![5, b'a']],
        vec![vec![1, b'a']],
        vec![typed("a", 7, b"\0")],
        vec![typed("a", 7, b"\0\x02x")],
        vec![typed("a", 8, b"1234567")],
        vec![typed("a", 10, b"")],
        vec![typed("", 0, b"")],
        // What is no text, and what is there twice.
        vec![typed("a", 7, b"\0\x01\xff")],
        vec![vec![1, 0xff, 0]],
        vec![telling.clone(), telling.clone()],
        vec![header("a", "b"), typed("a", 0, b"")],
        vec![telling.clone(), header(":exception-type", "x")],
        vec![typed(":event-type", 6, b"\0\x01x")],
        vec![header(":event-type", "a\\u0062")],
        vec![header(":message-type", "other")],
    ] {
        assert_eq!(
            refused(&framed(&headers, b"{}")),
            Some(WalkError::Malformed),
            "{headers:?}"
        );
    }
    // A value that is too long once it is masked.
    let mails = "a@b.co ".repeat(65_000 / 7);
    let long = framed(&[header("a", &mails)], b"");
    assert_eq!(
        try_pieces(&mask(), Format::AmazonEvents, &long, &[]),
        Err(WalkError::TooLarge)
    );
}

#[test]
fn payloads_that_are_not_read_are_refused() {
    let unknown = Some(WalkError::UnknownPart);
    for content in [
        "application/cbor",
        "application/octet-stream",
        "application/vnd.amazon.eventstream",
        "text/event-stream",
        "text/plain; charset=utf-16",
        "application/json; charset=utf-16le",
        "",
    ] {
        assert_eq!(
            refused(&message("chunk", content, b"x")),
            unknown,
            "{content}"
        );
        assert_eq!(refused(&message("chunk", content, b"")), None, "{content}");
    }
    assert_eq!(refused(&framed(&[], b"alice@example.com")), unknown);
    for payload in [
        &b"{"[..],
        b"\"alice@example.com\"",
        b"null",
        b"{\"a\":1} {}",
        b"{\"a\":\"\n\"}",
        b"\xef\xbb\xbf{\"a\":1}",
        b"\xff\xfe{\0}\0",
        b"{\0\"\0a\0\"\0:\0\x31\0}\0",
    ] {
        let body = message("chunk", "application/json", payload);
        assert_eq!(refused(&body), Some(WalkError::Malformed), "{payload:?}");
    }
    // A string that is not UTF-8 is matched as far as it is.
    let with = |mail: &str| {
        let payload = [b"{\"a\":\"\xff ", mail.as_bytes(), b" \xff\"}"].concat();
        message("metadata", "application/json", &payload)
    };
    assert_eq!(in_any_pieces(&with("bob@example.com")), with("[EMAIL]"));
}

#[test]
fn other_payloads_are_read_by_their_types() {
    let html = |mail: &str| message("page", "text/html", format!("<a b={mail}>").as_bytes());
    assert_eq!(in_any_pieces(&html("bob@example.com")), html("[EMAIL]"));
    let text = |pieces: [&str; 3]| {
        pieces
            .map(|piece| message("text", "text/plain", piece.as_bytes()))
            .concat()
    };
    assert_eq!(
        in_any_pieces(&text(["to bob@ex", "ample", ".com, "])),
        text(["to [EMAIL]", "", ", "])
    );
}

#[test]
fn a_body_is_proven_by_its_first_lengths_or_by_its_end() {
    let mask = mask();
    let body = event("messageStart", &json!({"role": "assistant"}));
    let mut walker = Walker::new(Format::AmazonEvents);
    let mut out = Vec::new();
    for (at, byte) in body.iter().enumerate() {
        assert_eq!(walker.is_proven(), at >= 12);
        walker.push(&mask, &[*byte], &mut out).expect("a message");
    }
    let mut walker = Walker::new(Format::AmazonEvents);
    assert!(!walker.is_proven());
    walker.finish(&mask, &mut out).expect("no message");
    assert!(walker.is_proven());
    let mut walker = Walker::new(Format::AmazonEvents);
    assert!(walker.push(&mask, b"HTTP/1.1 200", &mut out).is_err());
    assert!(!walker.is_proven());
    // Other formats show no more than that they are UTF-8, at their front.
    let mut text = Walker::new(Format::Text);
    assert!(!text.is_proven());
    text.push(&mask, b"four", &mut Vec::new()).unwrap();
    assert!(text.is_proven());
}

proptest! {
    #[test]
    fn random_messages_never_panic_and_are_masked_alike_in_random_pieces(
        messages in prop::collection::vec((
            prop::collection::vec(prop_oneof![
                (0..11_u8, prop::collection::vec(0..9_u8, 0..6)).prop_map(|(kind, value)| typed("a", kind, &value)),
                Just(header(":event-type", "chunk")),
                Just(header(":event-type", "contentBlockDelta")),
                Just(header(":content-type", "text/plain")),
                Just(header("b", "alice@example.com")),
            ], 0..3),
            prop::collection::vec(prop::sample::select(vec![
                "{", "}", "\"bytes\":", "\"delta\":", "\"text\":", "\"alice@", "example.com\"", ",",
                "\"eyJhIjoiYUBiLmNvIn0=\"", "\"contentBlockIndex\":1", " ",
            ]), 0..8),
        ), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let frame = |(headers, payload): &(Vec<Vec<u8>>, Vec<&str>)| framed(headers, payload.concat().as_bytes());
        let body: Vec<u8> = messages.iter().flat_map(frame).collect();
        let mut cuts: Vec<usize> = cuts.iter().filter(|_| !body.is_empty()).map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let once = try_pieces(&mask(), Format::AmazonEvents, &body, &[]);
        prop_assert_eq!(&try_pieces(&mask(), Format::AmazonEvents, &body, &cuts), &once);
        if let Ok(once) = once {
            prop_assert_eq!(whole(&once), once, "the output is a body with nothing to mask");
        }
    }
}
