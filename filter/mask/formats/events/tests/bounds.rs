//! What is too much.

use serde_json::{Value, json};

use super::super::super::tests::{mask, try_pieces};
use super::super::super::{Format, WalkError, Walker};
use super::{chat, chunk};

#[test]
fn an_event_beyond_the_bound_ends_the_stream() {
    let mask = mask();
    for line in ["data: x\n", "x"] {
        let mut walker = Walker::new(Format::Events);
        let mut out = Vec::new();
        let piece = line.repeat(4096);
        let error = (0..5000).find_map(|_| walker.push(&mask, piece.as_bytes(), &mut out).err());
        assert_eq!(error, Some(WalkError::TooLarge));
        assert!(out.is_empty());
        assert!(walker.held() <= crate::formats::USUAL_ENTRY_BYTES);
        assert_eq!(
            walker.push(&mask, b"data: x\n\n", &mut out),
            Err(WalkError::TooLarge)
        );
        assert_eq!(walker.finish(&mask, &mut out), Err(WalkError::TooLarge));
        assert!(out.is_empty());
    }
}

#[test]
fn an_event_of_too_many_pieces_ends_the_stream() {
    let mask = mask();
    let strings = format!("data: {{\"delta\":[{}\"\"]}}\n\n", "\"\",".repeat(10_000));
    assert_eq!(
        try_pieces(&mask, Format::Events, strings.as_bytes(), &[]),
        Err(WalkError::TooManyTexts)
    );
}

#[test]
fn of_too_many_open_texts_the_oldest_is_masked_and_forgotten() {
    let mask = mask();
    let deltas: Vec<Value> = (0..1100)
        .map(|choice| json!({"index": choice, "delta": {"content": "alice@example.c"}}))
        .collect();
    let stream = format!("data: {}\n\n", json!({ "choices": deltas }));
    let out = try_pieces(&mask, Format::Events, stream.as_bytes(), &[]).expect("a stream");
    let texts = chat(&String::from_utf8(out).expect("UTF-8"));
    assert_eq!(texts.len(), 1100);
    for ((choice, _), text) in texts {
        // Twice 64 made room. The end of the stream shows the others to be no addresses.
        assert_eq!(
            text == "alice@example.c",
            choice >= 2 * 64,
            "{choice}: {text}"
        );
        assert!(choice >= 2 * 64 || !text.contains("alice"));
    }
}

#[test]
fn texts_that_have_ended_are_not_open() {
    let mask = mask();
    let ended = |event: usize| {
        let choices: Vec<Value> = (0..100)
            .map(|at| json!({"index": 1 + event * 100 + at, "delta": {"content": "x"}, "finish_reason": "stop"}))
            .collect();
        format!("data: {}\n\n", json!({ "choices": choices }))
    };
    let stream = chunk(0, &json!({"content": "alice@exam"}))
        + &(0..20).map(ended).collect::<String>()
        + &chunk(0, &json!({"content": "ple.com"}));
    let out = try_pieces(&mask, Format::Events, stream.as_bytes(), &[]).expect("a stream");
    let texts = chat(&String::from_utf8(out).expect("UTF-8"));
    assert_eq!(texts[&(0, "content".to_owned())], "[EMAIL]");
}

#[test]
fn a_text_that_waits_too_long_is_forced() {
    let mask = mask();
    let mut walker = Walker::new(Format::Events);
    let mut out = Vec::new();
    walker
        .push(
            &mask,
            chunk(0, &json!({"content": "my secret alice@example.c"})).as_bytes(),
            &mut out,
        )
        .expect("a stream");
    let other = chunk(1, &json!({"content": "word "}));
    for _ in 0..256 {
        assert!(out.is_empty());
        walker
            .push(&mask, other.as_bytes(), &mut out)
            .expect("a stream");
    }
    assert_eq!(walker.held(), 0);
    let texts = chat(&String::from_utf8(out.clone()).expect("UTF-8"));
    assert!(!texts[&(0, "content".to_owned())].contains("alice"));
    assert_eq!(texts[&(1, "content".to_owned())], "word ".repeat(256));
    // The same by bytes.
    out.clear();
    walker
        .push(
            &mask,
            chunk(0, &json!({"content": " bob@example.c"})).as_bytes(),
            &mut out,
        )
        .expect("a stream");
    let long = chunk(1, &json!({"content": "word ".repeat(20_000)}));
    for _ in 0..10 {
        walker
            .push(&mask, long.as_bytes(), &mut out)
            .expect("a stream");
        assert!(walker.held() <= 512 * 1024);
    }
    assert!(!String::from_utf8(out).expect("UTF-8").contains("bob"));
}

#[test]
fn long_names_are_told_apart_by_all_of_them() {
    let mask = mask();
    let stream = |one: &str, two: &str| {
        let name = "\\u0061".repeat(2000);
        let event = |tail: &str, text: &str| {
            format!("data: {{\"delta\":{{\"{name}{tail}\":\"{text}\"}}}}\n\n")
        };
        event(one, "alice@exam") + &event(two, "ple.com")
    };
    let masked = |stream: String| {
        let out = try_pieces(&mask, Format::Events, stream.as_bytes(), &[]).expect("a stream");
        String::from_utf8(out).expect("UTF-8")
    };
    assert_eq!(masked(stream("x", "y")), stream("x", "y"));
    // The same name, once with an escape.
    assert_eq!(
        masked(stream("x", "\\u0078")),
        stream("x", "\\u0078")
            .replace("alice@exam", "[EMAIL]")
            .replace("ple.com", "")
    );
}
