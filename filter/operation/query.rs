//! The query of a path: what in it changes what is asked for.

use base::bytes::hex_digit;

/// The parameter by which frameworks let a form say another method (Rails, Laravel, Symfony, Express's
/// method-override).
const METHOD_OVERRIDE: &str = "_method";

/// A query without parameters that say another method. The rest is as it came.
pub(super) fn without_overrides(query: &str) -> Option<String> {
    let overrides = |pair: &str| {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        decoded(name).is_none_or(|name| name.eq_ignore_ascii_case(METHOD_OVERRIDE))
    };
    if !query.split(['&', ';']).any(overrides) {
        return Some(query.to_owned());
    }
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.split(';').any(overrides))
        .collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// The values of a parameter, wherever it stands.
pub(super) fn values(query: Option<&str>, name: &str) -> Vec<String> {
    let pairs = query.unwrap_or_default().split(['&', ';']);
    pairs
        .filter_map(|pair| {
            let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
            let same = decoded(own).is_some_and(|own| own.eq_ignore_ascii_case(name));
            same.then(|| decoded(value).unwrap_or_default())
        })
        .collect()
}

/// All names and values, decoded; what can't be decoded is as it came.
pub(super) fn texts(query: Option<&str>) -> impl Iterator<Item = String> {
    let words = query.unwrap_or_default().split(['&', ';', '=']);
    words.map(|word| decoded(word).unwrap_or_else(|| word.to_owned()))
}

/// Undoes escapes, twice if need be: what is inside an address in a query is escaped once more.
fn decoded(text: &str) -> Option<String> {
    let once = decoded_once(text)?;
    if once.contains('%') {
        return decoded_once(&once).or(Some(once));
    }
    Some(once)
}

fn decoded_once(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = bytes.next().and_then(hex_digit)?;
                let low = bytes.next().and_then(hex_digit)?;
                (high << 4) | low
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

/// A segment of a path without its escapes, in which a `+` is a plus.
pub(super) fn unescaped(segment: &str) -> Option<String> {
    decoded_once(&segment.replace('+', "%2B"))
}
