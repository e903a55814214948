//! JSON inside of strings: whoever could parse it before can parse it behind the mask.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Format;
use super::super::tests::{mask, mask_with, masked_text};
use crate::policy::Style;

const STYLES: [Style; 4] = [Style::Label, Style::Partial, Style::Stars, Style::Remove];

/// What becomes of a text that is a tool call's arguments, and of one that is an answer's content.
fn inside(text: &str) -> [String; 2] {
    ["arguments", "content"].map(|name| {
        let body = json!({name: text}).to_string();
        let masked: Value =
            serde_json::from_str(&masked_text(&mask(), Format::Json, &body)).unwrap();
        masked[name].as_str().unwrap().to_owned()
    })
}

#[test]
fn a_number_that_is_masked_becomes_a_string_of_the_inner_text() {
    for (text, expected) in [
        (
            r#"{"card":4111111111111111}"#,
            r#"{"card":"[CREDIT_CARD]"}"#,
        ),
        (
            r#"{"card": 4111111111111111 }"#,
            r#"{"card": "[CREDIT_CARD]" }"#,
        ),
        (
            "\n\t[1, 4111111111111111,\n 2]",
            "\n\t[1, \"[CREDIT_CARD]\",\n 2]",
        ),
        (
            r#"{"ssn":536228726,"n":-1.5e3}"#,
            r#"{"ssn":"[US_SSN]","n":-1.5e3}"#,
        ),
        (
            r#"{"a":"ana@example.com","b":[true,null,4111111111111111]}"#,
            r#"{"a":"[EMAIL]","b":[true,null,"[CREDIT_CARD]"]}"#,
        ),
        (
            r#"{"phone": "785 8949", "x": 1}"#,
            r#"{"phone": "[PHONE]", "x": 1}"#,
        ),
    ] {
        assert_eq!(inside(text), [expected, expected], "{text}");
    }
}

#[test]
fn what_only_begins_like_json_is_text() {
    for (text, expected) in [
        ("[4111 1111 1111 1111]", "[[CREDIT_CARD]]"),
        ("[1] 4111 1111 1111 1111", "[1] [CREDIT_CARD]"),
        (
            "[ana@example.com](mailto:ana@example.com)",
            "[[EMAIL]](mailto:[EMAIL])",
        ),
        ("{4111111111111111", "{[CREDIT_CARD]"),
        ("{\"a\" 4111111111111111}", "{\"a\" [CREDIT_CARD]}"),
        ("[note: 4111-1111-1111-1111]", "[note: [CREDIT_CARD]]"),
    ] {
        assert_eq!(inside(text), [expected, expected], "{text}");
    }
    // Arguments are JSON, whatever they are.
    let number = ["\"[CREDIT_CARD]\"", "[CREDIT_CARD]"];
    assert_eq!(inside("4111111111111111"), number);
}

#[test]
fn a_number_that_is_split_over_events_is_one() {
    let event = |piece: &str| {
        let delta = json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "function": {"arguments": piece}}
        ]}}]});
        format!("data: {delta}\n\n")
    };
    let pieces = ["{\"card\"", ": 41", "1111111111", "", "1111", "}"];
    let body: String = pieces.iter().map(|piece| event(piece)).collect();
    let masked = masked_text(&mask(), Format::Events, &body);
    let mut arguments = String::new();
    for line in masked
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
    {
        let value: Value = serde_json::from_str(line).unwrap();
        let piece = &value["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"];
        arguments.push_str(piece.as_str().unwrap());
    }
    assert_eq!(arguments, r#"{"card": "[CREDIT_CARD]"}"#);
}

/// JSON with what is looked for in it.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(4_111_111_111_111_111_u64)),
        Just(json!(536_228_726)),
        Just(json!(-0.5)),
        Just(json!(true)),
        Just(Value::Null),
        Just(json!("ana@example.com")),
        Just(json!("4111 1111 1111 1111")),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("(ssn|card|phone|id|[a-z]{1,4})", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn what_could_be_parsed_can_be(value in values(), pretty in any::<bool>(), style in 0..4_usize) {
        let inner = match pretty {
            true => serde_json::to_string_pretty(&value).unwrap(),
            false => value.to_string(),
        };
        let mask = mask_with(&[], STYLES[style]);
        for name in ["arguments", "content"] {
            let body = json!({name: inner}).to_string();
            let masked = masked_text(&mask, Format::Json, &body);
            let masked: Value = serde_json::from_str(&masked).unwrap();
            let text = masked[name].as_str().unwrap();
            let structured = inner.starts_with(['{', '[']);
            prop_assert!(!structured || serde_json::from_str::<Value>(text).is_ok(), "{text}");
            prop_assert!(!text.contains("4111111111111111") && !text.contains("ana@"), "{text}");
        }
    }
}

#[test]
fn a_number_of_json_in_a_string_of_json_in_a_string_becomes_a_string() {
    use serde_json::{Value, json};
    let mask = mask();
    let deep = |card: Value| {
        let inner = json!({"card": card, "n": 7}).to_string();
        let middle = json!({"to": inner, "x": [1]}).to_string();
        let outer = json!({"env": middle}).to_string();
        json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": outer}}]}}]})
    };
    let came = deep(json!(4_111_111_111_111_111_u64));
    let goes = deep(json!("[CREDIT_CARD]"));
    assert_eq!(
        masked_text(&mask, Format::Json, &came.to_string()),
        goes.to_string()
    );
    let event = |value: &Value| format!("data: {value}\n\n");
    assert_eq!(
        masked_text(&mask, Format::Events, &event(&came)),
        event(&goes)
    );
    let prose = json!({"content": "Sure:\n```json\n{\"card\": 4111111111111111}\n```"});
    assert_eq!(
        masked_text(&mask, Format::Json, &prose.to_string()),
        prose
            .to_string()
            .replace("4111111111111111", "\\\"[CREDIT_CARD]\\\"")
    );
}
