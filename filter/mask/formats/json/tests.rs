use proptest::prelude::*;
use serde_json::Value;

use super::super::tests::{
    files, mask, mask_with, masked, masked_text, plainly, try_pieces, vectors,
};
use super::super::{Format, WalkError, Walker};
use crate::CompiledMask;
use crate::policy::Style;

fn json(body: &str) -> String {
    masked_text(&mask(), Format::Json, body)
}

#[test]
fn strings_are_matched_decoded_and_written_back_as_they_were() {
    assert_eq!(
        json(r#"{"a\u0062": "caf\u00e9 \/ alice\u0040example.com,\n\"x\"" }"#),
        r#"{"a\u0062": "caf\u00e9 \/ [EMAIL],\n\"x\"" }"#
    );
    assert_eq!(
        json("[\"\\uD83D\\uDE00\\u0061lice@example.com\\ud83d\", \"é bob@example.com é\"]"),
        "[\"\\uD83D\\uDE00[EMAIL]\\ud83d\", \"é [EMAIL] é\"]"
    );
}

#[test]
fn an_escape_of_which_a_part_matches_goes_whole() {
    let mask = mask_with(&[("X", r"(?-u:\xC3)")], Style::Label);
    assert_eq!(
        masked_text(
            &mask,
            Format::Json,
            r#"["\u00e9 alice@example.com","\u00e9a"]"#
        ),
        r#"["[X] [EMAIL]","[X]a"]"#
    );
}

#[test]
fn each_string_is_a_text_of_its_own() {
    assert_eq!(
        json(r#"["alice@","example.com","4111 1111","1111 1111"]"#),
        r#"["alice@","example.com","4111 1111","1111 1111"]"#
    );
}

#[test]
fn names_pass_and_values_do_not() {
    assert_eq!(
        json(
            r#"{"alice@example.com": ["bob@example.com", {"carol@example.com" : "d@example.com"}]}"#
        ),
        r#"{"alice@example.com": ["[EMAIL]", {"carol@example.com" : "[EMAIL]"}]}"#
    );
}

#[test]
fn a_number_that_matches_becomes_a_string() {
    assert_eq!(
        json("{\"n\": 4111111111111111 , \"m\": [4111111111111111,1], \"t\": true}"),
        "{\"n\": \"[CREDIT_CARD]\" , \"m\": [\"[CREDIT_CARD]\",1], \"t\": true}"
    );
    assert_eq!(json("4111111111111111"), "\"[CREDIT_CARD]\"");
}

#[test]
fn measurements_are_no_card_numbers() {
    let body = "[0.4111111111111111,-0.4111111111111111e-5,1.5,NaN,-Infinity, 1e5 ]";
    assert_eq!(json(body), body);
}

#[test]
fn lines_of_json_are_values_one_after_another() {
    assert_eq!(
        json("{\"a\":\"alice@example.com\"}\n{\"alice@example.com\":4111111111111111}\r\n1\n2\n"),
        "{\"a\":\"[EMAIL]\"}\n{\"alice@example.com\":\"[CREDIT_CARD]\"}\r\n1\n2\n"
    );
}

#[test]
fn what_is_not_json_is_masked_and_does_not_become_json() {
    for (body, expected) in [
        ("Write to alice@example.com now", "Write to [EMAIL] now"),
        ("[alice@example.com]", "[[EMAIL]]"),
        ("{\"alice@example.com\"}", "{\"[EMAIL]\"}"),
        ("{\"alice@example.com\"", "{\"[EMAIL]\""),
        ("{\"alice\\u0040example.com", "{\"[EMAIL]"),
        (
            "{\"a\":1,,\"alice@example.com\":2}",
            "{\"a\":1,,\"[EMAIL]\":2}",
        ),
        ("{'a': 'alice@example.com'}", "{'a': '[EMAIL]'}"),
        (
            "[\"a\" x \"s\", {\"alice@example.com\": 1}]",
            "[\"a\" x \"s\", {\"[EMAIL]\": 1}]",
        ),
        ("4111 1111 1111 1111", "[CREDIT_CARD]"),
        ("[1 4111111111111111]", "[1 [CREDIT_CARD]]"),
        ("\"alice@example.com", "\"[EMAIL]"),
        ("\"alice\\u0040example.com", "\"[EMAIL]"),
        ("\"a\nalice@example.com\"", "\"a\n[EMAIL]\""),
    ] {
        assert_eq!(json(body), expected, "{body}");
    }
    for style in [Style::Label, Style::Stars, Style::Partial, Style::Remove] {
        let mask = mask_with(&[("1", "ZZ[0-9]{2}"), ("\"", "YY[0-9]{2}")], style);
        for body in [
            "[alice@example.com]",
            "1 alice@example.com",
            "[ZZ12]",
            "[YY12]",
        ] {
            let out = masked(&mask, Format::Json, body.as_bytes());
            assert!(
                serde_json::from_slice::<Value>(&out).is_err(),
                "{style:?} {body}"
            );
        }
    }
}

#[test]
fn bytes_that_are_no_text_pass() {
    let mask = mask();
    for body in [
        &b"[\"\xff\xfe\xc3\", \"\xed\xa0\x80\", \"a\x00b\x1f\"]"[..],
        b"[\"\\ud800\", \"\\udc00\\ud800x\"]",
        b"\xEF\xBB\xBF{\"a\": [1, \"b\"]}",
        b"\xEF\xBB\xBF",
        b"",
        b" \r\n\t",
    ] {
        assert_eq!(masked(&mask, Format::Json, body), body);
    }
}

#[test]
fn a_byte_order_mark_does_not_end_the_grammar() {
    assert_eq!(
        json("\u{feff}{\"alice@example.com\": 4111111111111111}"),
        "\u{feff}{\"alice@example.com\": \"[CREDIT_CARD]\"}"
    );
}

#[test]
fn nesting_beyond_the_bound_is_masked() {
    let mask = mask();
    let deep = 100_000;
    for (open, close) in [("[", "]"), ("{\"bob@example.com\":", "}")] {
        let body = format!(
            "{}\"alice@example.com\"{},",
            open.repeat(deep),
            close.repeat(deep)
        );
        let out = try_pieces(
            &mask,
            Format::Json,
            body.as_bytes(),
            &[deep / 2, deep * 3 / 2],
        )
        .expect("JSON is always masked");
        let out = String::from_utf8(out).expect("UTF-8");
        assert!(!out.contains("alice"));
        // The names below the bound are masked like values.
        let names = out.matches("bob@example.com").count();
        assert!(names == 0 || names == 1024);
        assert_eq!(
            out.replace("bob@example.com", "[EMAIL]"),
            body.replace("bob@example.com", "[EMAIL]")
                .replace("alice@example.com", "[EMAIL]")
        );
    }
    // The names within the bound are names again behind it.
    let body = format!(
        "{{\"a@example.com\":{}1{}, \"b@example.com\": 4111111111111111}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let out =
        String::from_utf8(try_pieces(&mask, Format::Json, body.as_bytes(), &[]).expect("JSON"))
            .expect("UTF-8");
    assert!(out.starts_with("{\"a@example.com\":"));
    assert!(out.ends_with("], \"b@example.com\": \"[CREDIT_CARD]\"}"));
}

#[test]
fn what_is_held_does_not_grow_with_the_body() {
    let mask = mask();
    let bound = mask.matcher().max_pending() * 6 + 4096;
    for text in [
        "word ",
        "\\u00e9\\n",
        "a",
        "9",
        "alice@example.com ",
        "\\\\",
    ] {
        for (before, after) in [
            ("{\"k\": \"", "\"}"),
            ("", ""),
            ("{\"", "\":1}"),
            ("[\"a\" ", "]"),
        ] {
            let mut walker = Walker::new(Format::Json);
            let mut out = Vec::new();
            let piece = text.repeat(1024);
            walker
                .push(&mask, before.as_bytes(), &mut out)
                .expect("JSON");
            for _ in 0..40 {
                walker
                    .push(&mask, piece.as_bytes(), &mut out)
                    .expect("JSON");
                out.clear();
                assert!(
                    walker.held() <= bound,
                    "{} bytes are held of {text:?}",
                    walker.held()
                );
            }
            walker
                .push(&mask, after.as_bytes(), &mut out)
                .expect("JSON");
            walker.finish(&mask, &mut out).expect("JSON");
            assert_eq!(walker.held(), 0);
        }
    }
}

/// Every string value and every integer in a value, masked by the matcher alone.
fn by_value(mask: &CompiledMask, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(plainly(mask, text)),
        Value::Number(number) => {
            let text = number.to_string();
            let masked = plainly(mask, &text);
            if masked == text {
                value.clone()
            } else {
                Value::String(masked)
            }
        }
        Value::Array(values) => values.iter().map(|value| by_value(mask, value)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), by_value(mask, value)))
            .collect(),
        _ => value.clone(),
    }
}

#[test]
fn the_foreign_suite_parses_to_the_same_value_or_still_not() {
    let Some(folder) = vectors("json-test-suite") else {
        return;
    };
    let mask = mask();
    for (path, body) in files(&folder) {
        let cuts: Vec<usize> = (0..body.len()).collect();
        let out = match try_pieces(&mask, Format::Json, &body, &[]) {
            Ok(out) => out,
            Err(error) => {
                // Whoever reads it finds out by itself that it is UTF-16 or UTF-32.
                let front = body.get(..4).unwrap_or(&body);
                let wide = front.contains(&0) || front.iter().any(|byte| *byte >= 0xFE);
                assert!(wide && error == WalkError::Malformed, "{path:?}: {error:?}");
                continue;
            }
        };
        if body.len() < 5000 {
            assert_eq!(
                try_pieces(&mask, Format::Json, &body, &cuts).expect("masked"),
                out,
                "{path:?}"
            );
        }
        match serde_json::from_slice::<Value>(&body) {
            Ok(value) => {
                let masked = serde_json::from_slice::<Value>(&out).expect("the output is JSON");
                assert_eq!(masked, by_value(&mask, &value), "{path:?}");
            }
            Err(_) => assert!(
                serde_json::from_slice::<Value>(&out).is_err(),
                "{path:?} became JSON"
            ),
        }
    }
}

#[test]
fn foreign_answers_stay_as_they_are() {
    let Some(folder) = vectors("llm-streams") else {
        return;
    };
    let mask = mask();
    for (path, body) in files(&folder) {
        assert_eq!(masked(&mask, Format::Json, &body), body, "{path:?}");
    }
}

/// A character as itself or as one of its escapes.
fn spell(character: char, how: u8) -> String {
    let must = matches!(character, '"' | '\\' | '\0'..='\x1f');
    if !how.is_multiple_of(3) || must {
        let mut units = [0; 2];
        character
            .encode_utf16(&mut units)
            .iter()
            .map(|unit| {
                if how.is_multiple_of(2) {
                    format!("\\u{unit:04x}")
                } else {
                    format!("\\u{unit:04X}")
                }
            })
            .collect()
    } else {
        character.to_string()
    }
}

fn content() -> impl Strategy<Value = Vec<char>> {
    let part = prop_oneof![
        "[a-z .@\"\\\\é😀]{0,6}",
        Just("alice@example.com".to_owned()),
        Just("4111 1111 1111 1111".to_owned()),
        Just("123-45-6789".to_owned()),
        Just("10.1.2.3".to_owned()),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat().chars().collect())
}

proptest! {
    #[test]
    fn random_strings_in_random_pieces_are_masked_as_they_read(
        strings in prop::collection::vec((content(), any::<u8>(), any::<u8>()), 1..4),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mask = mask();
        let spelled: Vec<String> = strings.iter().map(|(text, seed, step)| {
            let spelled: String = text.iter().enumerate()
                .map(|(at, character)| spell(*character, seed.wrapping_add(step.wrapping_mul(u8::try_from(at % 256).unwrap_or(0)))))
                .collect();
            format!("\"{spelled}\"")
        }).collect();
        let body = format!("{{\"k\":[{}]}}", spelled.join(" , "));
        let mut cuts: Vec<usize> = cuts.drain(..).map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&mask, Format::Json, body.as_bytes(), &cuts).expect("JSON is always masked");
        let value: Value = serde_json::from_slice(&out).expect("the output is JSON");
        let expected: Vec<Value> = strings.iter()
            .map(|(text, ..)| Value::String(plainly(&mask, &text.iter().collect::<String>())))
            .collect();
        prop_assert_eq!(&value["k"], &Value::Array(expected));
    }

    #[test]
    fn random_bytes_are_masked_alike_in_random_pieces(
        body in prop::collection::vec(prop_oneof![
            Just(&b"\""[..]), Just(&b"{"[..]), Just(&b"}"[..]), Just(&b"["[..]), Just(&b"]"[..]), Just(&b":"[..]),
            Just(&b","[..]), Just(&b"\\"[..]), Just(&b"\\u00"[..]), Just(&b"40"[..]), Just(&b"\xf0\x9f"[..]),
            Just(&b"alice@example.com"[..]), Just(&b" "[..]), Just(&b"1.2.3.4"[..]), Just(&b"\n"[..]), Just(&b"null"[..]),
        ], 0..24),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mask = mask();
        let body = body.concat();
        let mut cuts: Vec<usize> = cuts.drain(..).filter(|_| !body.is_empty()).map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&mask, Format::Json, &body, &cuts).expect("JSON is always masked");
        prop_assert_eq!(&out, &try_pieces(&mask, Format::Json, &body, &[]).expect("masked"));
        let (before, after) = (serde_json::from_slice::<Value>(&body), serde_json::from_slice::<Value>(&out));
        prop_assert_eq!(before.is_ok(), after.is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Long arrays are looked at many numbers at a time, which must not show.
    #[test]
    fn numbers_come_out_the_same_however_they_are_cut(
        numbers in prop::collection::vec(
            prop::sample::select(vec![
                "0", "-1", "0.25", "-0.0123456789012345", "1e-7", "4111111111111111", "12345678",
                "123456789", "1.5E+3", "-", "1-2", "1 2", "", "null", "\"a@b.co\"", "01", "+1", ".5",
                "4111111111111111.0", "0.4111111111111111", "[1,2]", "4111-1111-1111-1111",
            ]), 0..60),
        spaces in prop::collection::vec(prop::sample::select(vec![",", ", ", " ,", ",\n  ", " , "]), 60),
        plain in any::<bool>(),
        cut in 1..70_usize,
    ) {
        let mut body = String::from("{\"a\":[");
        for (index, number) in numbers.iter().enumerate() {
            let usual = plain && index % 17 != 16;
            body.push_str(if usual { "-0.0123456789" } else { number });
            if index + 1 < numbers.len() {
                body.push_str(spaces[index]);
            }
        }
        body.push_str("],\"b\":\"jane@example.com\"}");
        let mask = mask();
        let cuts: Vec<usize> = (1..body.len()).filter(|at| at % cut == 0).collect();
        let whole = try_pieces(&mask, Format::Json, body.as_bytes(), &[]).unwrap();
        let bytes: Vec<usize> = (1..body.len()).collect();
        prop_assert_eq!(&try_pieces(&mask, Format::Json, body.as_bytes(), &cuts).unwrap(), &whole);
        prop_assert_eq!(&try_pieces(&mask, Format::Json, body.as_bytes(), &bytes).unwrap(), &whole);
        if serde_json::from_str::<Value>(&body).is_err() {
            prop_assert!(serde_json::from_slice::<Value>(&whole).is_err());
        } else {
            prop_assert!(serde_json::from_slice::<Value>(&whole).is_ok());
        }
    }
}
