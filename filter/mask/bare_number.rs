//! Numbers of JSON or of code that stand in a text: `"card": 4111111111111111` in an answer, in a tool's
//! arguments, or in a string of these.
//!
//! Masked as it stands, such a number would be one no more, and nobody could parse what is around it.
//! So what takes its place is a string, in the quotes that its name has, or that of its list, with as many
//! backslashes in front of them.

use super::window::{Miss, Window};

/// Blanks that may stand between a name, its colon, a number and what follows it.
const MAX_BLANKS: usize = 8;
/// Quotes deeper in strings in strings have more backslashes than could be seen.
const MAX_BACKSLASHES: usize = 15;

/// The quotes that what takes the place of a match must have; none where it is no number that has a name
/// in quotes, or stands in a list.
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

/// The quote of strings around a value here: that which ends its name, or in a list, the name of the
/// list or the string in front of it.
fn quote_in_front(window: &Window<'_>) -> Option<String> {
    let mut bytes = Backwards(window.behind.far_backwards().peekable());
    match bytes.next_mark()? {
        b':' => bytes.quote(),
        b'[' => bytes.quote_of_list(),
        b',' => loop {
            match bytes.next_mark()? {
                b'[' => return bytes.quote_of_list(),
                b']' | b'{' | b'}' | b':' | b',' => {}
                quote @ (b'"' | b'\'') => return bytes.escaped(quote),
                byte if is_of_value(byte) => {}
                _ => return None,
            }
        },
        _ => None,
    }
}

/// What numbers and literal names are made of.
fn is_of_value(byte: u8) -> bool {
    byte.is_ascii_digit() || b"+-.eEtruefalsn".contains(&byte)
}

/// What stands in front of a number, from its end.
struct Backwards<I: Iterator<Item = u8>>(std::iter::Peekable<I>);

impl<I: Iterator<Item = u8>> Backwards<I> {
    /// The next byte that is no blank.
    fn next_mark(&mut self) -> Option<u8> {
        for _ in 0..=MAX_BLANKS {
            match self.0.next()? {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                byte => return Some(byte),
            }
        }
        None
    }

    /// The quote that comes next.
    fn quote(&mut self) -> Option<String> {
        let quote = self.next_mark()?;
        matches!(quote, b'"' | b'\'').then(|| self.escaped(quote))?
    }

    /// That of a list whose bracket has been read.
    fn quote_of_list(&mut self) -> Option<String> {
        loop {
            match self.next_mark()? {
                b':' => return self.quote(),
                b'[' => {}
                // A string begins in front of the list: those in it have quotes of one level more.
                quote @ (b'"' | b'\'') => {
                    let outer = self.escaped(quote)?;
                    let backslashes = 2 * (outer.len() - 1) + 1;
                    let fits = backslashes <= MAX_BACKSLASHES;
                    return fits
                        .then(|| format!("{}{}", "\\".repeat(backslashes), char::from(quote)));
                }
                b',' => loop {
                    match self.next_mark()? {
                        b'[' => break,
                        b']' | b'{' | b'}' | b':' | b',' => {}
                        quote @ (b'"' | b'\'') => return self.escaped(quote),
                        byte if is_of_value(byte) => {}
                        _ => return None,
                    }
                },
                _ => return None,
            }
        }
    }

    /// A quote with the backslashes in front of it.
    fn escaped(&mut self, quote: u8) -> Option<String> {
        let mut escaped = String::new();
        while self.0.next_if_eq(&b'\\').is_some() {
            escaped.push('\\');
        }
        escaped.push(char::from(quote));
        (escaped.len() <= MAX_BACKSLASHES + 1).then_some(escaped)
    }
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
            (
                r#"{"cards": [@, 7, @]}"#,
                r#"{"cards": ["[CREDIT_CARD]", 7, "[CREDIT_CARD]"]}"#,
            ),
            (
                r#"{\"cards\":[[1.5,@],[@]]}"#,
                r#"{\"cards\":[[1.5,\"[CREDIT_CARD]\"],[\"[CREDIT_CARD]\"]]}"#,
            ),
            (r#"["a", @, null]"#, r#"["a", "[CREDIT_CARD]", null]"#),
            (r#"{"a": "[@,1]"}"#, r#"{"a": "[\"[CREDIT_CARD]\",1]"}"#),
            // These are none.
            (r#"{"card": "@"}"#, r#"{"card": "[CREDIT_CARD]"}"#),
            (
                r#"He said "card": @ is it"#,
                r#"He said "card": [CREDIT_CARD] is it"#,
            ),
            ("card: @, and", "card: [CREDIT_CARD], and"),
            ("these: 12, @, and", "these: 12, [CREDIT_CARD], and"),
            ("see [@, 7]", "see [[CREDIT_CARD], 7]"),
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
