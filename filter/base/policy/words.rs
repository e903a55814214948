//! How a message shows what it speaks of.

use serde_json::Value;

/// `"a", "b" or "c"`.
#[must_use]
pub fn list_of(names: &[&str]) -> String {
    list(names, "or")
}

/// `"a", "b" and "c"`.
pub(super) fn list_of_all(names: &[&str]) -> String {
    list(names, "and")
}

fn list(names: &[&str], before_last: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {before_last} {last}", others.join(", ")),
    }
}

/// RFC 6901: `~` and `/` in a member's name.
pub(super) fn escape(key: &str) -> String {
    shorten(key).replace('~', "~0").replace('/', "~1")
}

pub(super) fn shorten(text: &str) -> String {
    const MAX_SHOWN_CHARS: usize = 60;
    if text.chars().count() > MAX_SHOWN_CHARS {
        let head: String = text.chars().take(MAX_SHOWN_CHARS).collect();
        format!("{head}...")
    } else {
        text.to_owned()
    }
}

/// The type of a value.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The value itself where it is short, and its type where it is not.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", shorten(text)),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => type_of(other).to_owned(),
    }
}

/// The last line of an error of a parser says what is wrong; those before draw the place.
#[must_use]
pub fn last_line(message: &str) -> &str {
    let line = message.lines().last().unwrap_or(message).trim();
    line.strip_prefix("error: ").unwrap_or(line)
}
