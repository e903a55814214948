//! Arguments of tool calls: JSON within a JSON string.

use serde_json::{Value, json};

use super::super::super::Format;
use super::super::super::tests::{mask, mask_with, masked, try_pieces};
use super::event;
use crate::policy::Style;

fn call(arguments: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}}]})
}

fn block(arguments: &str) -> Value {
    json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": arguments}})
}

fn response(arguments: &str) -> Value {
    json!({"type": "response.function_call_arguments.delta", "output_index": 0, "delta": arguments})
}

/// The arguments in all events.
fn joined(stream: &str) -> String {
    let text = |line: &str| {
        let event: Value = serde_json::from_str(line.strip_prefix("data: ")?).unwrap();
        [
            "/choices/0/delta/tool_calls/0/function/arguments",
            "/delta/partial_json",
            "/delta",
        ]
        .iter()
        .find_map(|path| Some(event.pointer(path)?.as_str()?.to_owned()))
    };
    stream.lines().filter_map(text).collect()
}

#[test]
fn inner_escapes_are_read_however_they_are_spread() {
    let mask = mask();
    let said =
        r#"{"a":"x\nalice\u0040example.com","b":"caf\u00e9 \ud83d\ude00 \"bob\u0040x.io\""}"#;
    let seen = r#"{"a":"x\n[EMAIL]","b":"caf\u00e9 \ud83d\ude00 \"[EMAIL]\""}"#;
    for shape in [call, block, response] {
        for first in 0..=said.len() {
            for second in [first, first + 1, first + 2, first + 5, first + 11] {
                let second = second.min(said.len());
                let (head, rest) = said.split_at(first);
                let (middle, tail) = rest.split_at(second - first);
                let parts = [head, middle, tail];
                let stream: String = parts.iter().map(|part| event(&shape(part))).collect();
                let out = try_pieces(&mask, Format::Events, stream.as_bytes(), &[]).unwrap();
                let out = String::from_utf8(out).unwrap();
                assert_eq!(joined(&out), seen, "cut at {first} and {second}: {out}");
            }
        }
    }
}

#[test]
fn arguments_that_come_whole_are_read_twice_too() {
    let body = |arguments: &str| {
        json!({"choices": [{"message": {"content": "a\\u0040b", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}}]})
            .to_string()
    };
    let said = body(r#"{"to":"alice\u0040example.com","re":"\\d\/x"}"#);
    let seen = body(r#"{"to":"[EMAIL]","re":"\\d\/x"}"#);
    let out = masked(&mask(), Format::Json, said.as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), seen);
    let done = |arguments: &str| {
        event(&json!({"type": "response.function_call_arguments.done", "arguments": arguments}))
    };
    let out = masked(
        &mask(),
        Format::Events,
        done(r#"{"to":"alice\u0040x.io"}"#).as_bytes(),
    );
    assert_eq!(String::from_utf8(out).unwrap(), done(r#"{"to":"[EMAIL]"}"#));
}

#[test]
fn a_replacement_is_escaped_twice() {
    let mask = mask_with(&[("a\"b\\c", "SECRET")], Style::Label);
    let stream = event(&call(r#"{"a":"SECRET"}"#));
    let out = masked(&mask, Format::Events, stream.as_bytes());
    let arguments = joined(&String::from_utf8(out).unwrap());
    let inner: Value = serde_json::from_str(&arguments).unwrap();
    assert_eq!(inner, json!({"a": "[a\"b\\c]"}));
}

#[test]
fn what_is_no_escape_stays() {
    let mask = mask();
    for text in [
        r"C:\path\u12",
        r"\",
        r"\\\",
        r"\u00",
        r#"\ud83d \x "\"#,
        "\u{e9}\\u00\u{e9}",
    ] {
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let (head, tail) = text.split_at(cut);
            let stream = event(&call(head)) + &event(&call(tail)) + "data: [DONE]\n\n";
            let out = masked(&mask, Format::Events, stream.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), stream);
        }
    }
}

#[test]
fn arguments_that_are_one_number_stay_json() {
    let card = "4111111111111111";
    let body = |arguments: &str| {
        json!({"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}}]})
            .to_string()
    };
    for (said, seen) in [
        (card.to_owned(), "\"[CREDIT_CARD]\"".to_owned()),
        (format!(" {card}\n"), " \"[CREDIT_CARD]\"\n".to_owned()),
        ("-12.5e3".to_owned(), "-12.5e3".to_owned()),
        ("17".to_owned(), "17".to_owned()),
        // No JSON, and so text like any other.
        (
            format!("{card} and {card}"),
            "[CREDIT_CARD] and [CREDIT_CARD]".to_owned(),
        ),
        ("4111 1111 1111 1111".to_owned(), "[CREDIT_CARD]".to_owned()),
        (format!("\"{card}\""), "\"[CREDIT_CARD]\"".to_owned()),
    ] {
        let out = masked(&mask(), Format::Json, body(&said).as_bytes());
        assert_eq!(String::from_utf8(out).unwrap(), body(&seen));
        for shape in [call, block, response] {
            for cut in 0..=said.len() {
                let (head, tail) = said.split_at(cut);
                let stream = event(&shape(head)) + &event(&shape(tail));
                let out = try_pieces(&mask(), Format::Events, stream.as_bytes(), &[]).unwrap();
                let out = String::from_utf8(out).unwrap();
                assert_eq!(joined(&out), seen, "cut at {cut}: {out}");
            }
        }
    }
}
