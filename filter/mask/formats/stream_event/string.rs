//! Payloads that are one string of JSON: LangServe streams the pieces of a text so (langserve's
//! `api_handler.py`, `/stream`), and the AI SDK in its lines.

use super::super::text_id::Id;
use super::super::texts::Owner;
use super::super::writing::Writing;
use super::segment::{Kind, Payload, Segment};
use crate::prefilter::end_of_string;
use base::wire::Range;

/// The text of such strings.
const TEXT: Id = [1; 32];

/// Reads a payload that is a string, which goes on in others if that is `known`, and otherwise may do so;
/// none when it is anything else.
pub(in crate::formats) fn read_string(bytes: &[u8], known: bool) -> Option<Payload> {
    let (start, end) = content(bytes)?;
    let kind = if known {
        Kind::Piece(0)
    } else {
        Kind::Perhaps(0)
    };
    Some(Payload {
        segments: vec![Segment {
            start,
            end,
            kind,
            varies: false,
        }],
        texts: vec![(TEXT, Owner::default(), Writing::Json)],
        ..Payload::default()
    })
}

/// Where the content of the string is that these bytes are, if they are one on one line.
fn content(bytes: &[u8]) -> Option<Range> {
    let start = bytes.len() - bytes.trim_ascii_start().len() + 1;
    let inside = bytes.trim_ascii().strip_prefix(b"\"")?;
    let length = inside.len().checked_sub(1)?;
    let whole = end_of_string(inside, false).0 == Some(length);
    let line = memchr::memchr2(b'\r', b'\n', inside).is_none();
    (whole && line).then_some((start, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_whole_string_has_content() {
        for (bytes, expected) in [
            (&b"\"tok\""[..], Some((1, 4))),
            (b" \"\"\n", Some((2, 2))),
            (b"\"a\\\"b\"", Some((1, 5))),
            (b"\"a", None),
            (b"\"", None),
            (b"", None),
            (b"a\"", None),
            (b"\"a\\\"", None),
            (b"\"a\" \"b\"", None),
            (b"\"a\nb\"", None),
        ] {
            assert_eq!(content(bytes), expected, "{bytes:?}");
        }
    }
}
