use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;

use super::super::Format;
use super::super::tests::{mask, masked_text};
use crate::CompiledMask;
use crate::policy::Options;

fn reading() -> CompiledMask {
    mask().with(&Options {
        base64: true,
        ..Options::default()
    })
}

#[test]
fn text_in_base64_is_masked_in_either_alphabet() {
    let said = "Mail <alice@example.com>?~";
    let seen = "Mail <[EMAIL]>?~";
    for coder in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        for twice in [false, true] {
            let encode = |text: &str| {
                let once = coder.encode(text);
                if twice { coder.encode(once) } else { once }
            };
            let body =
                |text: &str| json!({"a": encode(text), "b": [encode(text), text]}).to_string();
            assert_eq!(
                masked_text(&reading(), Format::Json, &body(said)),
                body(seen)
            );
            let event = |text: &str| format!("data: {}\n\n", body(text));
            assert_eq!(
                masked_text(&reading(), Format::Events, &event(said)),
                event(seen)
            );
            let lines = |text: &str| body(text) + "\n";
            assert_eq!(
                masked_text(&reading(), Format::Lines, &lines(said)),
                lines(seen)
            );
            let full = |text: &str| json!([STANDARD.encode(text)]).to_string();
            assert_eq!(
                masked_text(&reading(), Format::Json, &full("jane.doe@example.com!")),
                full("[EMAIL]!")
            );
            // Nobody asked.
            let unread = masked_text(&mask(), Format::Json, &body(said));
            assert_eq!(unread, body(said).replace(said, seen));
        }
    }
}

#[test]
fn what_is_no_base64_of_text_is_a_string_like_any_other() {
    for string in [
        "internationalization",
        "alice@example.com",
        "TWFpbCBhbGljZUBleGFtcGxlLmNvbQ==x",
        "TWFpbCBhbGlj ZUBleGFtcGxlLmNvbQ==",
        "TWFp",
        "",
        "AAAAAAAAAAAAAAAAAAAAAP//////",
    ] {
        let body = json!({"a": string, "b": 1}).to_string();
        let expected = masked_text(&mask(), Format::Json, &body);
        assert_eq!(masked_text(&reading(), Format::Json, &body), expected);
    }
    // Too deep and too long.
    let thrice = STANDARD.encode(STANDARD.encode(STANDARD.encode("alice@example.com")));
    let long = STANDARD.encode("alice@example.com ".repeat(20_000));
    for string in [thrice, long] {
        let body = json!([string]).to_string();
        let out =
            super::super::tests::try_pieces(&reading(), Format::Json, body.as_bytes(), &[10, 30]);
        assert_eq!(String::from_utf8(out.unwrap()).unwrap(), body);
    }
    assert_eq!(
        masked_text(&reading(), Format::Json, "[\"TWFpbCBhbGljZUBl"),
        "[\"TWFpbCBhbGljZUBl"
    );
}
