use super::super::tests::{mask, masked_text, try_pieces};
use super::super::{Format, WalkError, Walker};

fn lines(body: &str) -> String {
    masked_text(&mask(), Format::Lines, body)
}

#[test]
fn a_text_goes_on_from_line_to_line() {
    assert_eq!(
        lines(
            "{\"message\":{\"role\":\"assistant\",\"content\":\"to al\"},\"done\":false}\n\
             {\"message\":{\"content\":\"ice\\u0040exam\"},\"done\":false}\r\n\n\
             {\"message\":{\"content\":\"ple.com\"},\"done\":true,\"n\":4111111111111111}\n"
        ),
        "{\"message\":{\"role\":\"assistant\",\"content\":\"to [EMAIL]\"},\"done\":false}\n\
         {\"message\":{\"content\":\"\"},\"done\":false}\r\n\n\
         {\"message\":{\"content\":\"\"},\"done\":true,\"n\":\"[CREDIT_CARD]\"}\n"
    );
    assert_eq!(
        lines("{\"response\":\"alice@exam\"}\n{\"response\":\"ple.com\"}"),
        "{\"response\":\"[EMAIL]\"}\n{\"response\":\"\"}"
    );
}

#[test]
fn a_line_that_is_done_waits_for_nothing() {
    let mask = mask();
    let mut walker = Walker::new(Format::Lines);
    let mut out = Vec::new();
    walker
        .push(&mask, b"{\"response\":\"alice@example.com\"}\n", &mut out)
        .expect("lines");
    assert!(out.is_empty());
    walker
        .push(&mask, b"{\"response\":\"\",\"done\":true}\n", &mut out)
        .expect("lines");
    assert_eq!(
        out,
        b"{\"response\":\"[EMAIL]\"}\n{\"response\":\"\",\"done\":true}\n"
    );
}

#[test]
fn a_line_that_is_no_object_is_masked_by_itself() {
    for (body, expected) in [
        (
            "4111111111111111\n\"alice@example.com\"\n",
            "\"[CREDIT_CARD]\"\n\"[EMAIL]\"\n",
        ),
        (
            "{\"a\":\"alice\\u0040example.com\n{}",
            "{\"a\":\"[EMAIL]\n{}",
        ),
        ("error: alice@example.com", "error: [EMAIL]"),
        ("", ""),
    ] {
        assert_eq!(lines(body), expected);
    }
}

#[test]
fn a_line_beyond_the_bound_ends_the_body() {
    let mut body = b"{\"a\": 1}\n".to_vec();
    body.resize(body.len() + crate::formats::USUAL_ENTRY_BYTES + 1, b' ');
    assert_eq!(
        try_pieces(&mask(), Format::Lines, &body, &[1000]),
        Err(WalkError::TooLarge)
    );
}

#[test]
fn a_sequence_of_json_texts_is_read_like_lines() {
    // RFC 7464, section 2.
    let line = |text: &str| {
        format!(
            "\u{1e}{}\n",
            serde_json::json!({"message": {"content": text}})
        )
    };
    let out = masked_text(
        &mask(),
        Format::Lines,
        &(line("ask tom.") + &line("baker@mill.example")),
    );
    assert_eq!(out, line("ask [EMAIL]") + &line(""));
}

/// Pieces of a text and records may be the same, byte for byte: where nobody knows which they are, no rule
/// can keep a record's word without leaving a piece's.
#[test]
fn records_are_joined_where_nobody_says_that_they_are_some() {
    let records = |name: &str, values: &[&str]| -> String {
        let line = |value: &&str| format!("{{\"{name}\":\"{value}\"}}\n");
        values.iter().map(line).collect()
    };
    let words = records("who", &["bob", "ana@example.com", "eve"]);
    assert_eq!(lines(&words), records("who", &["[EMAIL]", "", ""]));
    let digits = records("no", &["4111", "1111", "1111", "1111"]);
    assert_eq!(
        lines(&digits),
        records("no", &["[CREDIT_CARD]", "", "", ""])
    );
    // A mark or a blank between them is enough.
    for apart in [
        ["bob,", "ana@example.com", "(eve)"],
        ["bob", " ana@example.com", " eve"],
        ["ask bob?", "ana@example.com", ", eve"],
    ] {
        let body = records("who", &apart);
        assert_eq!(lines(&body), body.replace("ana@example.com", "[EMAIL]"));
    }
    // A route that the policy gives a dialect has records, unless the dialect streams lines.
    let layout = Box::leak(Box::new(super::super::Layout::read("data /id").unwrap()));
    let framing = super::super::Framing {
        layout: Some(layout),
        ..super::super::Framing::default()
    };
    for body in [words, digits] {
        let mut walker = Walker::framed(Format::Lines, framing);
        let mut out = Vec::new();
        walker.push(&mask(), body.as_bytes(), &mut out).unwrap();
        walker.finish(&mask(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            body.replace("ana@example.com", "[EMAIL]")
        );
    }
}
