//! A mask's options through the walkers.

use super::super::tests::{mask, masked_text};
use super::super::{Format, WalkError, Walker};
use crate::CompiledMask;
use crate::policy::{FieldRules, Options, Pointer, Segment};

fn pointer(steps: &[&str]) -> Pointer {
    let step = |step: &&str| match *step {
        "*" => Segment::Any,
        name => Segment::Name(name.to_owned()),
    };
    Pointer(steps.iter().map(step).collect())
}

fn with_fields() -> CompiledMask {
    mask().with(&Options {
        fields: FieldRules {
            remove: vec![pointer(&["metadata", "customer"])],
            round: vec![(pointer(&["data", "*", "embedding"]), 2)],
            drop_logprobs: true,
            ..FieldRules::default()
        },
        ..Options::default()
    })
}

#[test]
fn fields_of_a_body_are_edited_and_the_rest_is_masked() {
    assert_eq!(
        masked_text(
            &with_fields(),
            Format::Json,
            r#"{"metadata":{"customer":"x","mail":"jane@example.com"},"data":[{"embedding":[0.12345,1]}],"logprobs":[1]}"#
        ),
        r#"{"metadata":{"mail":"[EMAIL]"},"data":[{"embedding":[0.12,1]}],"logprobs":null}"#
    );
}

#[test]
fn fields_of_events_and_lines_are_edited() {
    let chunk = |text: &str, more: &str| {
        format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}{more}}}]}}"#)
    };
    let (came, left) = (r#","logprobs":{"content":[]}"#, r#","logprobs":null"#);
    let texts = [("jane@", ""), ("example.com ", ""), ("bye", "bye")];
    let masked = ["[EMAIL]", " ", "bye"];
    let body = |line: &dyn Fn(&str) -> String, more| -> (String, String) {
        let whole = texts.map(|(text, _)| line(&chunk(text, came))).concat();
        let edited = masked.map(|text| line(&chunk(text, more))).concat();
        (whole, edited)
    };
    let event = |json: &str| format!("event: x\ndata: {json}\n\n");
    let (whole, edited) = body(&event, left);
    assert_eq!(masked_text(&with_fields(), Format::Events, &whole), edited);
    let line = |json: &str| format!("{json}\n");
    let (whole, edited) = body(&line, left);
    assert_eq!(masked_text(&with_fields(), Format::Lines, &whole), edited);
}

#[test]
fn where_fields_have_rules_what_is_not_json_goes_no_further() {
    for (format, body) in [
        (Format::Json, "{\"a\":1,,}"),
        (Format::Events, "data: {\"a\":1,,}\n\n"),
        (Format::Lines, "{\"a\":1,,}\n"),
    ] {
        let mask = with_fields();
        let mut walker = Walker::new(format);
        let mut out = Vec::new();
        let result = walker
            .push(&mask, body.as_bytes(), &mut out)
            .and_then(|()| walker.finish(&mask, &mut out));
        assert_eq!(result, Err(WalkError::Malformed), "{body}");
    }
}

#[test]
fn names_are_matched_where_the_mask_says_so() {
    let mask = mask().with(&Options {
        keys: true,
        ..Options::default()
    });
    assert_eq!(
        masked_text(&mask, Format::Json, r#"{"jane@example.com":{"a":"b"}}"#),
        r#"{"[EMAIL]":{"a":"b"}}"#
    );
    assert_eq!(
        masked_text(
            &mask,
            Format::Events,
            "data: {\"jane@example.com\":{\"a\":\"b\"}}\n\n"
        ),
        "data: {\"[EMAIL]\":{\"a\":\"b\"}}\n\n"
    );
    // A name says what its value is, and how that is read, whether or not it is a text itself.
    for (body, expected) in [
        (r#"{"phone" : "785 8949"}"#, r#"{"phone" : "[PHONE]"}"#),
        (r#"{"ssn":536228726}"#, r#"{"ssn":"[US_SSN]"}"#),
        (r#"{"a\u0040b.io" :1}"#, r#"{"[EMAIL]" :1}"#),
        (
            r#"{"arguments":"{\"jane\\u0040example.com\":1}"}"#,
            r#"{"arguments":"{\"[EMAIL]\":1}"}"#,
        ),
        (
            r#"{"logprobs":{"tokens":["jane@","example.com"]}}"#,
            r#"{"logprobs":{"tokens":["[EMAIL]",""]}}"#,
        ),
        (r#"{"jane@example.com"#, r#"{"[EMAIL]"#),
        (r#"{"jane@example.com" oops"#, r#"{"[EMAIL]" oops"#),
    ] {
        assert_eq!(masked_text(&mask, Format::Json, body), expected);
    }
    let long = "n".repeat(2000);
    assert_eq!(
        masked_text(
            &mask,
            Format::Json,
            &format!("{{\"{long} jane@example.com\":1}}")
        ),
        format!("{{\"{long} [EMAIL]\":1}}")
    );
}
