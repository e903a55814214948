//! Reading headers that may hold anything.

use super::event::Headers;

/// Headers that describe the bytes of a body, and are wrong once they change (RFC 9110,
/// RFC 9530).
pub(super) const OF_THE_BYTES: &[&str] = &[
    "content-length",
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "etag",
    "accept-ranges",
];

/// How many bytes of JSON there are in front of tensors (KServe V2's binary extension).
pub(super) const JSON_BYTES: &str = "inference-header-content-length";

/// The one value of a header. `None` where there is none, more than one, or one that is not
/// UTF-8: a header that two readers may take differently says nothing.
pub(super) fn single<'a>(headers: &Headers<'a>, name: &str) -> Option<&'a str> {
    let mut values = values(headers, name);
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    core::str::from_utf8(first).ok().map(str::trim)
}

pub(super) fn values<'a, 'h>(
    headers: &'h Headers<'a>,
    name: &'h str,
) -> impl Iterator<Item = &'a [u8]> + use<'a, 'h> {
    headers
        .iter()
        .filter(move |(key, _)| *key == name.as_bytes())
        .map(|(_, value)| *value)
}

pub(super) fn has(headers: &Headers<'_>, name: &str) -> bool {
    values(headers, name).next().is_some()
}

/// The media type without its parameters, in lower case (RFC 9110, section 8.3).
pub(super) fn media_type(headers: &Headers<'_>) -> Option<String> {
    let value = single(headers, "content-type")?;
    let media = value.split(';').next()?.trim().to_ascii_lowercase();
    (!media.is_empty()).then_some(media)
}

/// A parameter of the media type. `None` where there is none, or several that could be meant.
pub(super) fn parameter(headers: &Headers<'_>, name: &str) -> Option<String> {
    let value = single(headers, "content-type")?;
    let mut found = None;
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, value) = rest.split_once('=')?;
        let key = key.trim();
        let value = value.trim_start();
        let (value, later) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, later) = quoted.split_once('"')?;
                // Nobody quotes within a boundary.
                if value.contains('\\') {
                    return None;
                }
                (value, later)
            }
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if key.eq_ignore_ascii_case(name) && found.replace(value.trim_end().to_owned()).is_some() {
            return None;
        }
        match later.trim_start().strip_prefix(';') {
            Some(later) if !later.trim().is_empty() => rest = later,
            _ => return found,
        }
    }
}

/// A text that may be set as a header's value: no control characters (RFC 9110, section 5.5).
/// Envoy would send a line break out as it is, and with it a header that somebody else wrote.
pub(super) fn is_field_value(text: &str) -> bool {
    !text.bytes().any(|byte| byte < 0x20 || byte == 0x7f)
}

/// What a header says that has one value, a whole number in digits and nothing else.
pub(super) fn whole_number(headers: &Headers<'_>, name: &str) -> Option<usize> {
    let digits = single(headers, name)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}
