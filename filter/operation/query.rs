//! The query of a path: what in it changes what is asked for.

use base::bytes::hex_digit;

/// A query without parameters that say another method. The rest is as it came.
pub(super) fn without_overrides(query: &str) -> Option<String> {
    let overrides = |pair: &str| {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        decoded(name).is_none_or(|name| says_method(&name))
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

/// Whether frameworks take a name for `_method`, the parameter by which they let a form say another
/// method (Rails, Laravel, Symfony, Express's method-override). PHP ends a name at a NUL, drops blanks in
/// front of it and writes a dot, a blank or a bracket as `_`; Express and Rack drop brackets around it.
fn says_method(name: &str) -> bool {
    let name = name.split('\0').next().unwrap_or_default();
    let rest = name.trim_start_matches([' ', '.', '[', ']', '_']);
    let rest = rest.trim_end_matches([' ', '.', '[', ']']);
    rest.eq_ignore_ascii_case("method") && !name.starts_with(['m', 'M'])
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
pub fn texts(query: Option<&str>) -> impl Iterator<Item = String> {
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
