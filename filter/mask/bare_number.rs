//! Numbers of JSON or of code that stand in a text: `"card": 4111111111111111` in an answer, in a tool's
//! arguments, or in a string of these.
//!
//! Masked as it stands, such a number would be one no more, and nobody could parse what is around it.
//! So what takes its place is a string, in the quotes that its name has, with as many backslashes in
//! front of them.

use super::window::{Miss, Window};

/// Blanks that may stand between a name, its colon, a number and what follows it.
const MAX_BLANKS: usize = 8;
/// What has to be known behind a number.
pub(super) const MAX_BEHIND_BYTES: usize = MAX_BLANKS + 1;
/// Quotes deeper in strings in strings have more backslashes than could be seen.
const MAX_BACKSLASHES: usize = 15;

/// The quotes that what takes the place of a match must have; none where it is no number that is the
/// value of a name in quotes.
///
/// # Errors
/// [`Miss::More`] where it depends on bytes that are not known yet.
pub(super) fn quotes(window: &Window<'_>, len: usize) -> Result<Option<String>, Miss> {
    let number = window.bytes.get(..len).unwrap_or_default();
    if number.is_empty() || !number.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let Some(quote) = quote_in_front(window) else {
        return Ok(None);
    };
    for blank in 0..=MAX_BLANKS {
        match window.at(len + blank)? {
            Some(b' ' | b'\t' | b'\r' | b'\n') => {}
            Some(b',' | b'}' | b']') => return Ok(Some(quote)),
            _ => break,
        }
    }
    Ok(None)
}

/// The quote that ends the name whose colon stands in front.
fn quote_in_front(window: &Window<'_>) -> Option<String> {
    let mut bytes = window.behind.backwards();
    let mut next = || {
        let mut blanks = 0;
        loop {
            match bytes.next()? {
                b' ' | b'\t' | b'\r' | b'\n' if blanks < MAX_BLANKS => blanks += 1,
                byte => return Some(byte),
            }
        }
    };
    if next()? != b':' {
        return None;
    }
    let quote = next().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let backslashes = bytes.take_while(|byte| *byte == b'\\').count();
    let escape = "\\".repeat(backslashes);
    (backslashes <= MAX_BACKSLASHES).then(|| format!("{escape}{}", char::from(quote)))
}

#[cfg(test)]
mod tests {
    use crate::Matcher;
    use crate::detectors::tests::{built_ins, mask, mask_str};
    use crate::policy::Style;

    const CARD: &str = "4111111111111111";

    #[test]
    fn a_number_with_a_name_becomes_a_string() {
        let matcher = Matcher::new(&built_ins(Style::Label)).unwrap();
        for (text, masked) in [
            (
                r#"So {"card": @} it is"#,
                r#"So {"card": "[CREDIT_CARD]"} it is"#,
            ),
            (
                r#"{"a":[1],"card":@,"b":2}"#,
                r#"{"a":[1],"card":"[CREDIT_CARD]","b":2}"#,
            ),
            (r#"{\"card\" : @ }"#, r#"{\"card\" : \"[CREDIT_CARD]\" }"#),
            (
                r#"{\\\"card\\\":@}"#,
                r#"{\\\"card\\\":\\\"[CREDIT_CARD]\\\"}"#,
            ),
            ("{'card': @, 'n': 1}", "{'card': '[CREDIT_CARD]', 'n': 1}"),
            ("{\"card\":\n  @\n}", "{\"card\":\n  \"[CREDIT_CARD]\"\n}"),
            // These are none.
            (r#"{"card": "@"}"#, r#"{"card": "[CREDIT_CARD]"}"#),
            (
                r#"He said "card": @ is it"#,
                r#"He said "card": [CREDIT_CARD] is it"#,
            ),
            ("card: @, and", "card: [CREDIT_CARD], and"),
            (
                "SELECT * WHERE card = @;",
                "SELECT * WHERE card = [CREDIT_CARD];",
            ),
        ] {
            let text = text.replace('@', CARD);
            assert_eq!(mask_str(&matcher, &text), masked);
            let bytes = text.as_bytes().chunks(1);
            assert_eq!(
                mask(&matcher, bytes),
                masked.as_bytes(),
                "{text} in single bytes"
            );
        }
    }
}
