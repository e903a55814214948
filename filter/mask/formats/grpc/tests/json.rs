//! Texts that are JSON: whoever could parse one before can parse it behind the mask.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::super::super::tests::{mask, mask_with, masked, plainly, try_pieces};
use super::super::super::{Format, GrpcMessage};
use super::{STREAM, UNARY, field, frame, output, raw_bytes, token};
use crate::policy::Style;
use base::wire::{Elements, Fields, Value};

const ANY: Format = Format::Grpc(GrpcMessage::Any);

/// What stands in the fields to which a path leads, one behind the other.
fn at(message: &[u8], path: &[u64]) -> Vec<u8> {
    let Some((number, path)) = path.split_first() else {
        return message.to_vec();
    };
    let mut found = Vec::new();
    let mut fields = Fields::new(message, (0, message.len()));
    while let Some(field) = fields.read_next().expect("a message") {
        if let (true, Value::Counted { bytes, .. }) = (field.number == *number, field.value) {
            found.extend(at(&message[bytes.0..bytes.1], path));
        }
    }
    found
}

/// The text that the messages of a stream make together.
fn streamed(raw: bool, mut body: &[u8]) -> String {
    let mut text = Vec::new();
    while !body.is_empty() {
        let (_, message) = base::wire::frame(&mut body).expect("a frame");
        if !raw {
            text.extend(at(message, &[2, 5, 5, 8]));
            continue;
        }
        let tensor = at(message, &[2, 6]);
        let mut elements = Elements::new(&tensor, (0, tensor.len()));
        while let Some((_, (start, end))) = elements.read_next().expect("elements") {
            text.extend(&tensor[start..end]);
        }
    }
    String::from_utf8(text).expect("the output is UTF-8")
}

/// Texts, and what becomes of them: numbers become strings, and what is written in a string stays in
/// it.
const TEXTS: &[(&str, &str)] = &[
    (
        r#"{"card":4111111111111111}"#,
        r#"{"card":"[CREDIT_CARD]"}"#,
    ),
    (
        "\n[1, 4111111111111111 ,\t[true, null]]",
        "\n[1, \"[CREDIT_CARD]\" ,\t[true, null]]",
    ),
    (
        r#"{"ssn":536228726,"n":-1}"#,
        r#"{"ssn":"[US_SSN]","n":-1}"#,
    ),
    (
        r#"{"a":"b\"c\\","d":"ana\u0040example.com"}"#,
        r#"{"a":"b\"c\\","d":"[EMAIL]"}"#,
    ),
    (
        r#"{"é":"Q1\n","Q2":0}"#,
        r#"{"é":"[SAY \"NO\"]\n","[SAY \"NO\"]":0}"#,
    ),
];

/// Texts that only begin like JSON are what they were.
const OTHERS: &[&str] = &[
    "[4111 1111 1111 1111]",
    "[1] 4111 1111 1111 1111",
    "[ana@example.com](mailto:ana@example.com)",
    "{4111111111111111",
    "{\"a\" 4111111111111111}",
    "4111111111111111",
    "\"4111111111111111\"",
    "{Q1}",
    "\\[Q1] \\u0041",
];

fn labels() -> crate::CompiledMask {
    mask_with(&[("SAY \"NO\"", "Q[0-9]")], Style::Label)
}

#[test]
fn a_number_that_is_masked_becomes_a_string() {
    let mask = labels();
    for (text, expected) in TEXTS {
        serde_json::from_str::<Json>(expected).expect("JSON");
        let message = |text: &str| {
            frame(
                &[
                    output("a", "BYTES", &[text, "x"]),
                    output("b", "BYTES", &[]),
                    field(6, b""),
                    field(6, raw_bytes(&[text, text])),
                ]
                .concat(),
            )
        };
        assert_eq!(masked(&mask, UNARY, &message(text)), message(expected));
        // Field 8 of a TensorProto (tensorflow/core/framework/tensor.proto) is string_val.
        let any = |text: &str| frame(&field(3, [field(1, "small"), field(8, text)].concat()));
        assert_eq!(
            masked(&mask, ANY, &any(text)),
            any(expected),
            "{text} in a message of no known schema"
        );
    }
    for text in OTHERS {
        let expected = plainly(&mask, text);
        let message = |text: &str| frame(&output("a", "BYTES", &[text]));
        assert_eq!(masked(&mask, UNARY, &message(text)), message(&expected));
    }
}

#[test]
fn it_does_so_however_messages_split_the_text() {
    let mask = labels();
    let others = OTHERS.iter().map(|text| (*text, plainly(&mask, text)));
    let texts = TEXTS.iter().map(|(text, then)| (*text, (*then).to_owned()));
    for (text, expected) in texts.chain(others) {
        let places: Vec<usize> = (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .collect();
        for (from, first) in places.iter().enumerate() {
            for second in &places[from..] {
                let (front, last) = text.split_at(*second);
                let (one, two) = front.split_at(*first);
                let pieces = [one, two, last];
                for raw in [false, true] {
                    let body: Vec<u8> = pieces
                        .iter()
                        .flat_map(|piece| token(raw, "1", "a", piece))
                        .collect();
                    let out = try_pieces(&mask, STREAM, &body, &[]).expect("a stream");
                    assert_eq!(streamed(raw, &out), expected, "{pieces:?}");
                }
            }
        }
        let body: Vec<u8> = text
            .chars()
            .flat_map(|one| token(true, "1", "a", one.encode_utf8(&mut [0; 4])))
            .collect();
        let out = try_pieces(&mask, STREAM, &body, &[]).expect("a stream");
        assert_eq!(streamed(true, &out), expected, "{text} in characters");
    }
}

#[test]
fn bytes_of_other_charsets_break_it() {
    let message = |text: &[u8]| {
        frame(&field(
            5,
            [field(2, "BYTES"), field(5, field(8, text))].concat(),
        ))
    };
    assert_eq!(
        masked(&mask(), UNARY, &message(b"{\xff 4111111111111111}")),
        message(b"{\xff [CREDIT_CARD]}")
    );
    assert_eq!(
        masked(&mask(), UNARY, &message(b"{\"\xff\":4111111111111111}")),
        message(b"{\"\xff\":\"[CREDIT_CARD]\"}")
    );
}

/// Many numbers, and many strings, in one piece each.
#[test]
fn a_long_text_is_read_in_one_go() {
    let body = |text: String| frame(&output("a", "BYTES", &[&text]));
    let numbers = body(format!("[{}1]", "12,".repeat(1 << 20)));
    assert!(try_pieces(&mask(), UNARY, &numbers, &[]).as_ref() == Ok(&numbers));
    let strings = body(format!("[\"{}\"]", "word ".repeat(1 << 19)));
    assert!(try_pieces(&mask(), UNARY, &strings, &[]).as_ref() == Ok(&strings));
}

/// JSON with what is looked for in it.
fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(serde_json::json!(4_111_111_111_111_111_u64)),
        Just(serde_json::json!(536_228_726)),
        Just(Json::Null),
        Just(serde_json::json!("ana@example.com")),
        any::<i64>().prop_map(Json::from),
        "[ -~]{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map("(ssn|card|[a-z\"]{1,4})", inner, 0..5)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_could_be_parsed_can_be(
        value in values(),
        pretty in any::<bool>(),
        style in prop::sample::select(vec![Style::Label, Style::Stars, Style::Partial, Style::Remove]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let text = match pretty {
            true => serde_json::to_string_pretty(&value).unwrap(),
            false => value.to_string(),
        };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.retain(|cut| text.is_char_boundary(*cut));
        cuts.sort_unstable();
        let body: Vec<u8> = cuts
            .windows(2)
            .flat_map(|pair| token(true, "1", "a", text.get(pair[0]..pair[1]).unwrap()))
            .collect();
        let mask = mask_with(&[], style);
        let out = streamed(true, &try_pieces(&mask, STREAM, &body, &[]).expect("a stream"));
        let structured = text.starts_with(['{', '[']);
        prop_assert!(!structured || serde_json::from_str::<Json>(&out).is_ok(), "{out}");
        prop_assert!(!out.contains("4111111111111111") && !out.contains("ana@"), "{out}");
        let whole = token(true, "1", "a", &text);
        let whole = streamed(true, &try_pieces(&mask, STREAM, &whole, &[]).expect("a stream"));
        prop_assert_eq!(out, whole);
    }
}
