//! Strings that are no text: base64 of what has none, and what else stands where a dialect has no text.
//!
//! What is in such a string passes as long as it could be base64, or an id. What isn't is text again: a
//! server that writes prose where its dialect has a signature hides nothing.

use super::format::Format;
use super::media::Media;

/// The longest beginning of a data URL (RFC 2397) up to its comma.
const MAX_HEAD_BYTES: usize = 256;

/// What a string begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Url {
    /// It may become the head of a data URL.
    Open,
    /// It is none in base64.
    No,
    /// The head of one, of so many bytes, and what follows has no text.
    Data(usize),
    /// The same, and what follows may have some.
    File(usize),
}

/// Whether a string of JSON that begins with these bytes, as they stand between its quotes, is a data
/// URL in base64.
pub(super) fn data_url(raw: &[u8]) -> Url {
    const SCHEME: &[u8] = b"data:";
    let front = raw.get(..SCHEME.len()).unwrap_or(raw);
    if !SCHEME.starts_with(front) {
        return Url::No;
    }
    let head = raw.get(..MAX_HEAD_BYTES).unwrap_or(raw);
    let end = head
        .iter()
        .position(|byte| *byte == b',' || !matches!(byte, b'!'..=b'~') || *byte == b'"');
    let Some(end) = end else {
        let open = raw.len() < MAX_HEAD_BYTES;
        return if open { Url::Open } else { Url::No };
    };
    let said = head.get(SCHEME.len()..end).unwrap_or_default();
    let said = String::from_utf8_lossy(said).to_ascii_lowercase();
    let Some(kind) = said
        .strip_suffix(";base64")
        .filter(|_| head.get(end) == Some(&b','))
    else {
        return Url::No;
    };
    // Writers of JSON may escape a slash.
    let media = kind.split(';').next().unwrap_or_default().replace('\\', "");
    match Format::of_media(&media) {
        Media::NoText => Url::Data(end + 1),
        Media::Text(_) | Media::Unknown => Url::File(end + 1),
    }
}

/// How many bytes at the front of a string's content could be base64, or an id. An escape that ends a
/// line of base64, or stands for a slash, is up to the caller ([`is_escape`]).
pub(super) fn run(raw: &[u8]) -> usize {
    let end = raw.iter().position(|byte| !fits(*byte));
    end.unwrap_or(raw.len())
}

/// Whether a backslash with this byte behind it may stand in base64.
pub(super) fn is_escape(byte: u8) -> bool {
    matches!(byte, b'/' | b'n' | b'r')
}

/// A string in which text comes so soon is all text: what stands in front of it may belong to it.
pub(super) const MIN_DATA_BYTES: usize = 256;

/// How many bytes at the front of a string's whole content pass where its dialect has no text.
pub(super) fn passing(raw: &[u8]) -> usize {
    let data = length(raw);
    if data < raw.len() && data <= MIN_DATA_BYTES {
        0
    } else {
        data
    }
}

/// How many bytes at the front of a string's whole content are no text where its dialect has none.
pub(super) fn length(raw: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
        let run = run(rest);
        at += run;
        match rest.get(run..) {
            Some([b'\\', byte, ..]) if is_escape(*byte) => at += 2,
            _ => break,
        }
    }
    at
}

/// Whether the byte is one of either alphabet of base64, or of ids.
fn fits(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'.' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_data_url_says_what_follows() {
        for (head, found) in [
            ("data:image/png;base64,", Url::Data(22)),
            ("data:image\\/png;base64,iVBO", Url::Data(23)),
            ("data:audio/wav;rate=8000;BASE64,UklG", Url::Data(32)),
            ("data:image/svg+xml;base64,PHN2", Url::File(26)),
            ("data:application/pdf;base64,JVBE", Url::File(28)),
            ("data:;base64,", Url::File(13)),
            ("data:image/png", Url::Open),
            ("d", Url::Open),
            ("", Url::Open),
            ("data:image/png,raw", Url::No),
            ("data:image/png;base64 ,", Url::No),
            ("data: a@example.com", Url::No),
            ("dear", Url::No),
        ] {
            assert_eq!(data_url(head.as_bytes()), found, "{head}");
        }
        assert_eq!(data_url(&b"data:".repeat(60)), Url::No);
    }

    #[test]
    fn what_could_be_base64_ends_where_text_begins() {
        for (raw, data) in [
            ("iVBORw0KGgo=", 12),
            ("iVBO\\nRw0K\\r\\nGgo=", 18),
            ("a\\/b", 4),
            ("call_0-a.b:1", 12),
            ("abc def", 3),
            ("abc\\u0020", 3),
            ("abc\\", 3),
            ("", 0),
        ] {
            assert_eq!(length(raw.as_bytes()), data, "{raw}");
        }
    }
}
