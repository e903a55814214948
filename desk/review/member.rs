//! Members of what a desk says.

use serde_json::Value;

use super::failed::Failed;
use super::remote::Said;
use super::span::{moment, span};

/// The longest id, in bytes.
const MAX_ID_BYTES: usize = 64;

/// A member that is a text, and not empty.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    let text = value.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// A member as text, whatever it is: one that is missing or null as nothing.
pub(super) fn any(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The texts of a list.
pub(super) fn texts(value: &Value, name: &str) -> String {
    let texts = list(value, name).iter().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join(", ")
}

/// A member that is a list; without it, an empty one.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    let list = value.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// The list that an answer must have.
pub(super) fn wanted_list<'v>(said: &'v Said, name: &str) -> Result<&'v [Value], Failed> {
    let list = said.value.get(name).and_then(Value::as_array);
    list.map(Vec::as_slice).ok_or_else(|| {
        Failed::Unable(format!(
            "found an answer without the list \"{name}\", expected a desk's of version 2"
        ))
    })
}

/// How long ago a time was.
pub(super) fn ago(value: &Value, name: &str, at: i64) -> Option<String> {
    let time = moment(text(value, name)?)?;
    Some(span(at.saturating_sub(time)))
}

/// How long it is until a time, or what `left_ms` says.
pub(super) fn left(value: &Value, name: &str, at: i64) -> Option<String> {
    let by_count = value.get("left_ms").and_then(Value::as_i64);
    let by_count = by_count.map(|left| left.checked_div(1000).unwrap_or(0));
    let by_time = || Some(moment(text(value, name)?)?.saturating_sub(at));
    by_count.or_else(by_time).map(span)
}

/// How many approvals there are of how many, if an answer tells.
pub(super) fn counted(value: &Value) -> Option<String> {
    let approvals = value.get("approvals")?;
    let have = approvals.get("have")?.as_u64()?;
    let want = approvals.get("want")?.as_u64()?;
    Some(format!("{have} of {want}"))
}

/// An id that can stand in a path.
pub(super) fn id(text: &str) -> Result<&str, Failed> {
    let letters = text.bytes();
    let mut fit = letters.map(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if text.is_empty() || text.len() > MAX_ID_BYTES || text.starts_with('.') || !fit.all(|fit| fit)
    {
        return Err(Failed::Wrong(format!(
            "found the id {:?}, expected one as lists show it, such as apr_0123456789abcdef0123456789abcdef",
            text.chars().take(MAX_ID_BYTES).collect::<String>()
        )));
    }
    Ok(text)
}
