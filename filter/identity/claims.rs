//! What is taken from a verified token's claims.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::identity::section::ClaimPath;

/// The claim at a path: a JSON pointer (RFC 6901) if it begins with a slash, else names with dots
/// between them. A claim whose whole name is written with dots (as `https://example.com/groups`)
/// is found by that name first.
pub(super) fn at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    if let Some(pointer) = path.strip_prefix('/') {
        let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
        let value = claims.get(&unescape(first))?;
        return if rest.is_empty() {
            Some(value)
        } else {
            value.pointer(&format!("/{rest}"))
        };
    }
    let mut parts = path.split('.');
    let mut value = claims.get(parts.next()?)?;
    for part in parts {
        value = value.as_object()?.get(part)?;
    }
    Some(value)
}

/// The name of the claim that a path begins with.
pub(super) fn first_name(path: &str) -> String {
    match path.strip_prefix('/') {
        Some(pointer) => unescape(pointer.split('/').next().unwrap_or(pointer)),
        None => path.split('.').next().unwrap_or(path).to_owned(),
    }
}

/// RFC 6901, section 4.
fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// The texts of a claim: one string, a list of strings, a number or a boolean. Anything else
/// in it is left out, since no condition can name it.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(flag) => vec![flag.to_string()],
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// The texts at a path; one string is taken apart where the path has a separator.
pub(super) fn values(claims: &Map<String, Value>, path: &ClaimPath) -> Vec<String> {
    let Some(value) = at(claims, &path.path) else {
        return Vec::new();
    };
    match (value, &path.separator) {
        (Value::String(text), Some(separator)) => text
            .split(separator.as_str())
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        _ => texts(value),
    }
}

/// The claims that the policy names, by the policy's names.
pub(super) fn named(
    claims: &Map<String, Value>,
    paths: &BTreeMap<String, ClaimPath>,
) -> BTreeMap<String, Vec<String>> {
    let all = paths.iter();
    let all = all.map(|(name, path)| (name.clone(), values(claims, path)));
    base::sort::inserted(all.filter(|(_, values)| !values.is_empty()))
}

/// A NumericDate (RFC 7519, section 2) in whole seconds; a fraction is cut off.
///
/// The outer `None` is a claim that is there and is not a date.
pub(super) fn date(claims: &Map<String, Value>, name: &str) -> Option<Option<u64>> {
    let Some(value) = claims.get(name) else {
        return Some(None);
    };
    if let Some(seconds) = value.as_u64() {
        return Some(Some(seconds));
    }
    // A whole number of seconds until the year 10000 needs twelve digits; the decimal text of
    // a number spares a lossy conversion of floating point.
    let text = value
        .as_f64()
        .filter(|seconds| (0.0..1e12).contains(seconds))?;
    let text = format!("{text:.3}");
    let (whole, _) = text.split_once('.')?;
    Some(Some(whole.parse().ok()?))
}
