//! Text that comes from outside, for a terminal.

/// Whether a character could control a terminal, or make text look like another one.
fn controls(one: char) -> bool {
    one.is_control()
        || matches!(one,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            // Marks without a width, of direction, and line separators.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Tags, which nobody sees.
            | '\u{e0000}'..='\u{e007f}')
}

/// The text with all that could control a terminal escaped.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match controls(one) {
            true => out.extend(one.escape_unicode()),
            false => out.push(one),
        }
    }
    out
}

/// JSON with all that could control a terminal escaped, as JSON does it: none of it stands outside of strings.
pub(crate) fn plain_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for one in json.chars() {
        match controls(one) {
            true => {
                let mut units = [0; 2];
                for unit in one.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            false => out.push(one),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{plain, plain_json};

    #[test]
    fn nothing_that_controls_a_terminal_is_left() {
        let hostile = "a\u{1b}[2J\r\n\u{9b}31m\u{202e}b\u{200b}\u{2028}\u{e0041}\u{7f}é漢";
        let shown = plain(hostile);
        assert!(shown.chars().all(|one| !super::controls(one)), "{shown}");
        assert!(shown.starts_with("a\\u{1b}[2J\\u{d}\\u{a}\\u{9b}31m"));
        assert!(shown.ends_with("\\u{7f}é漢"));
    }

    #[test]
    fn json_stays_what_it_was() {
        let value = json!({ "a\u{9b}": ["\u{1b}[2J\u{202e}\u{e0041}\u{7f}", "é\\u{1}"] });
        let shown = plain_json(&value.to_string());
        assert!(shown.chars().all(|one| !super::controls(one)), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
