//! The headers of a message, which say what it is.

use std::collections::BTreeSet;

use super::super::findings::Findings;
use super::super::{WalkError, base64};
use super::frame::MAX_HEADERS_BYTES;
use crate::Matcher;

/// Types of values.
const BYTES: u8 = 6;
const STRING: u8 = 7;

/// Headers that say what a message is. All others with strings are texts.
const TELLING: [&[u8]; 5] = [
    b":message-type",
    b":event-type",
    b":exception-type",
    b":error-code",
    b":content-type",
];

/// What the headers say of their message.
#[derive(Debug, Default)]
pub(super) struct Headers<'m> {
    /// Whether the message is one that ends the stream: an exception or an error.
    pub(super) ends: bool,
    /// The kind of event or exception; empty if none is said.
    pub(super) kind: &'m [u8],
    /// The payload's media type in lower case, without parameters.
    pub(super) content: Option<String>,
}

/// A header as it stands.
struct Header<'m> {
    name: &'m [u8],
    kind: u8,
    value: &'m [u8],
}

impl<'m> Headers<'m> {
    /// Reads all headers of a message.
    ///
    /// # Errors
    /// They are not written as they should be, or some client would read others in them: a name
    /// comes twice, or a string is not UTF-8.
    pub(super) fn read(bytes: &'m [u8]) -> Result<Self, WalkError> {
        let mut headers = Self::default();
        let mut names = BTreeSet::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let header = next(&mut rest).ok_or(WalkError::Malformed)?;
            let strings = [
                header.name,
                if header.kind == STRING {
                    header.value
                } else {
                    b""
                },
            ];
            let utf8 = strings.iter().all(|it| core::str::from_utf8(it).is_ok());
            if !utf8 || !names.insert(header.name) {
                return Err(WalkError::Malformed);
            }
            if TELLING.contains(&header.name) {
                headers.note(&header)?;
            }
        }
        Ok(headers)
    }

    fn note(&mut self, header: &Header<'m>) -> Result<(), WalkError> {
        if header.kind != STRING {
            return Err(WalkError::Malformed);
        }
        match header.name {
            b":message-type" => match header.value {
                b"event" => {}
                b"exception" | b"error" => self.ends = true,
                _ => return Err(WalkError::Malformed),
            },
            b":event-type" | b":exception-type" => {
                let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
                if !header.value.iter().all(plain) || !self.kind.is_empty() {
                    return Err(WalkError::Malformed);
                }
                self.kind = header.value;
            }
            b":content-type" => {
                let value = core::str::from_utf8(header.value).unwrap_or_default();
                self.content = Some(media_of(value));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The media type in a value; nothing where its text is in another encoding than UTF-8.
fn media_of(value: &str) -> String {
    let value = value.to_ascii_lowercase();
    let (media, parameters) = value.split_once(';').unwrap_or((&value, ""));
    let utf8 = |parameter: &str| matches!(parameter, "charset=utf-8" | "charset=\"utf-8\"");
    let mut parameters = parameters.split(';').map(str::trim);
    match parameters.all(|it| !it.contains("charset") || utf8(it)) {
        true => media.trim().to_owned(),
        false => String::new(),
    }
}

/// The headers of a message that were read before, with the texts in them masked.
///
/// # Errors
/// What is masked is longer than it may be.
pub(super) fn masked(
    bytes: &[u8],
    matcher: &Matcher,
    found: &mut Findings,
) -> Result<Vec<u8>, WalkError> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(header) = next(&mut rest) {
        let text = match header.kind {
            STRING => !TELLING.contains(&header.name),
            // Nothing says that they aren't.
            BYTES => core::str::from_utf8(header.value).is_ok(),
            _ => false,
        };
        let value = match text {
            true => base64::plain(matcher, header.value, found),
            false => header.value.to_vec(),
        };
        out.push(u8::try_from(header.name.len()).map_err(|_| WalkError::TooLarge)?);
        out.extend_from_slice(header.name);
        out.push(header.kind);
        if matches!(header.kind, BYTES | STRING) {
            let length = u16::try_from(value.len()).map_err(|_| WalkError::TooLarge)?;
            out.extend(length.to_be_bytes());
        }
        out.extend(value);
    }
    if out.len() > MAX_HEADERS_BYTES {
        return Err(WalkError::TooLarge);
    }
    Ok(out)
}

/// Takes the next header off; none where there is none, or it isn't whole.
fn next<'m>(rest: &mut &'m [u8]) -> Option<Header<'m>> {
    let (length, after) = rest.split_first()?;
    let (name, after) = after.split_at_checked(usize::from(*length))?;
    let (kind, after) = after.split_first()?;
    let (length, after) = match *kind {
        // True and false.
        0 | 1 => (0, after),
        2 => (1, after),
        3 => (2, after),
        4 => (4, after),
        // Whole numbers and times.
        5 | 8 => (8, after),
        BYTES | STRING => {
            let (length, after) = after.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), after)
        }
        // UUIDs.
        9 => (16, after),
        _ => return None,
    };
    let (value, after) = after.split_at_checked(length)?;
    *rest = after;
    (!name.is_empty()).then_some(Header {
        name,
        kind: *kind,
        value,
    })
}
