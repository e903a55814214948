//! The name of the member that a value is, which counts as words in front of it: in
//! `"phone": "785 8949"` it says what the digits are.

use crate::window::CONTEXT_BYTES;

/// The name whose closing quote ends `json`, as it stands between its quotes: what can be seen of a
/// long one, and of one with quotes in it what stands behind the last.
pub(super) fn name(json: &[u8]) -> &[u8] {
    let Some(name) = json.strip_suffix(b"\"") else {
        return &[];
    };
    let seen = name.get(name.len().saturating_sub(CONTEXT_BYTES)..);
    let seen = seen.unwrap_or(name);
    let quote = seen.iter().rposition(|byte| *byte == b'"');
    let start = quote.map_or(0, |quote| quote + 1);
    seen.get(start..).unwrap_or_default()
}

/// The name of the member whose value begins at `at`; nothing where it is not a member's.
pub(super) fn name_before(json: &[u8], at: usize) -> &[u8] {
    let front = json.get(..at).unwrap_or_default().trim_ascii_end();
    front
        .strip_suffix(b":")
        .map_or(&[], |front| name(front.trim_ascii_end()))
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::tests::{mask, masked_text};
    use super::*;

    #[test]
    fn a_value_has_the_name_in_front_of_its_colon() {
        let json = br#"{"a b" : "c", "d\"e":1, "f":["g", 2]}"#;
        let before = |value: &[u8]| {
            let at = json.windows(value.len()).position(|part| part == value);
            name_before(json, at.unwrap())
        };
        assert_eq!(before(b"\"c\""), b"a b");
        assert_eq!(before(b"1"), b"e");
        assert_eq!(before(b"[\"g"), b"f");
        assert_eq!(before(b"\"g\""), b"");
        assert_eq!(before(b" 2"), b"");
        let long = format!("{{\"{}\":", "n".repeat(100));
        assert_eq!(
            name_before(long.as_bytes(), long.len()).len(),
            CONTEXT_BYTES
        );
    }

    #[test]
    fn what_a_member_is_called_says_what_it_is() {
        for (json, masked) in [
            (r#"{"phone": "785 8949"}"#, r#"{"phone": "[PHONE]"}"#),
            (r#"{"order": "785 8949"}"#, r#"{"order": "785 8949"}"#),
            (
                r#"{"password":"Zx81kQ29vbTr77Lm"}"#,
                r#"{"password":"[SECRET]"}"#,
            ),
            (
                r#"{"name":"Zx81kQ29vbTr77Lm"}"#,
                r#"{"name":"Zx81kQ29vbTr77Lm"}"#,
            ),
            (r#"{"ssn" : 536228726}"#, r#"{"ssn" : "[US_SSN]"}"#),
            (
                r#"{"ssn":{"x":536228726},"y":[1,"536228726"]}"#,
                r#"{"ssn":{"x":536228726},"y":[1,"536228726"]}"#,
            ),
        ] {
            assert_eq!(masked_text(&mask(), Format::Json, json), masked);
            let event = |json: &str| format!("data: {json}\n\n");
            let events = masked_text(&mask(), Format::Events, &event(json).repeat(3));
            assert_eq!(events, event(masked).repeat(3));
        }
    }
}
