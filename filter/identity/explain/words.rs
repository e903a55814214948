//! Values, lists and times as people read them.

use core::time::Duration;

use serde_json::Value;

use base::time::rfc3339;

/// Longer texts are cut.
const MAX_TEXT_CHARS: usize = 160;

/// More values than this are counted, not listed.
const MAX_LISTED: usize = 12;

/// A text in quotes, on one line: a token's claims may hold what a terminal obeys.
pub(super) fn quoted(text: &str) -> String {
    value(&Value::String(text.to_owned()))
}

/// A claim's value as JSON, as [`quoted`].
pub(super) fn value(value: &Value) -> String {
    let text = value.to_string();
    let mut shown: String = text
        .chars()
        .take(MAX_TEXT_CHARS)
        .flat_map(|one| {
            let plain = matches!(one, '"' | '\\' | '\'');
            let escaped = (!plain).then(|| one.escape_debug());
            plain
                .then_some(one)
                .into_iter()
                .chain(escaped.into_iter().flatten())
        })
        .collect();
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        shown.push_str("...");
    }
    shown
}

/// Texts in quotes, with commas between them.
pub(super) fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = texts.into_iter().map(|one| quoted(one.as_ref())).collect();
    let shown: Vec<&str> = all.iter().take(MAX_LISTED).map(String::as_str).collect();
    match all.len().saturating_sub(MAX_LISTED) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// RFC 3339, in whole seconds.
pub(super) fn time(seconds: u64) -> String {
    rfc3339(Duration::from_secs(seconds)).replace(".000Z", "Z")
}

/// The largest unit that fits, rounded down: `3 minutes`.
pub(super) fn span(seconds: u64) -> String {
    for (unit, length) in [
        ("year", 365 * 86_400),
        ("day", 86_400),
        ("hour", 3_600),
        ("minute", 60),
    ] {
        if seconds >= length {
            return count(seconds / length, unit);
        }
    }
    count(seconds, "second")
}

/// `1 key`, `2 keys`.
pub(super) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
