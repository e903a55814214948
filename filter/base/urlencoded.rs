//! Whole bodies of `application/x-www-form-urlencoded` (the URL standard of WHATWG, section 5).
//!
//! That standard reads any bytes whatsoever, and other readers read some of them otherwise. A guard
//! may not read one thing in front of a server that reads another, so those are errors here.
//!
//! Names are given as they are: what PHP or Rack make of brackets and dots, and which of several
//! pairs with one name counts, is for the caller to know or to refuse.

use std::borrow::Cow;

pub use crate::forms::FormError;
use crate::forms::check_name;

#[cfg(test)]
mod tests;

/// Pairs of one body.
pub const MAX_PAIRS: usize = 10_000;

/// A name and its value, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// What stands in front of the first equals sign; not empty, up to 100 bytes.
    pub name: Cow<'a, str>,
    /// What stands behind it.
    pub value: Cow<'a, str>,
}

/// The pairs of a body.
#[must_use]
pub fn pairs(body: &[u8]) -> Pairs<'_> {
    Pairs {
        body,
        rest: Some(body),
        read: 0,
        error: None,
    }
}

/// Reads the pairs of one body in their order.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    body: &'a [u8],
    /// What has not been read; none behind the last pair.
    rest: Option<&'a [u8]>,
    read: usize,
    /// What is wrong stays wrong: nobody takes an error for the end.
    error: Option<FormError>,
}

impl<'a> Pairs<'a> {
    /// The next pair. Only once this has said that there is none is all of the body sound.
    ///
    /// # Errors
    /// Whatever servers may read differently; from then on always the same error.
    pub fn read_next(&mut self) -> Result<Option<Pair<'a>>, FormError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let pair = self.step();
        self.error = pair.as_ref().err().copied();
        pair
    }

    fn step(&mut self) -> Result<Option<Pair<'a>>, FormError> {
        if self.read == 0 {
            check_ends(self.body)?;
        }
        while let Some(rest) = self.rest {
            let at = self.body.len() - rest.len();
            let pair;
            (pair, self.rest) = split(rest, b'&');
            // Nobody makes anything of two ampersands in a row.
            if pair.is_empty() {
                continue;
            }
            self.read += 1;
            if self.read > MAX_PAIRS {
                return Err(FormError::new("more than 10,000 pairs", at));
            }
            let (name, value) = split(pair, b'=');
            let Some(value) = value else {
                // Empty for most, nothing for Rack; and Busboy drops such a pair at the end if it
                // is a single escape.
                return Err(FormError::new("a pair without an equals sign", at));
            };
            let behind = at + name.len() + 1;
            let name = decode(name, at)?;
            check_name(&name).map_err(|reason| FormError::new(reason, at))?;
            let value = decode(value, behind)?;
            return Ok(Some(Pair { name, value }));
        }
        Ok(None)
    }
}

/// Who reads the body as a string may trim it: aiohttp drops blanks at the end, and who gives it to
/// `URLSearchParams` loses a question mark in front.
fn check_ends(body: &[u8]) -> Result<(), FormError> {
    if body.starts_with(b"?") {
        return Err(FormError::new("a question mark in front", 0));
    }
    if body.starts_with(b" ") {
        return Err(FormError::new("a blank in front", 0));
    }
    if body.ends_with(b" ") {
        return Err(FormError::new("a blank at the end", body.len() - 1));
    }
    Ok(())
}

/// What is in front of the first such byte, and what is behind it.
fn split(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.splitn(2, |byte| *byte == at);
    (parts.next().unwrap_or_default(), parts.next())
}

/// Undoes the percent-encoding of a name or value that begins at this byte of the body.
fn decode(text: &[u8], start: usize) -> Result<Cow<'_, str>, FormError> {
    let error = |reason, at| Err(FormError::new(reason, start + at));
    let mut encoded = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            // Older readers in Python and Java end the pair there.
            b';' => return error("a semicolon that is not encoded", at),
            b'+' | b'%' => encoded = true,
            b' '..=b'~' => {}
            // In Latin-1 for some, and what ends a line may be trimmed.
            _ => return error("a byte that is neither encoded nor printable ASCII", at),
        }
    }
    let decoded = match encoded {
        true => Cow::Owned(unescape(text, start)?),
        false => Cow::Borrowed(text),
    };
    let text = match decoded {
        Cow::Borrowed(bytes) => core::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
    };
    match text {
        // It ends a string where strings are C's.
        Some(text) if text.contains('\0') => error("a NUL", 0),
        Some(text) => Ok(text),
        None => error("escapes that are not UTF-8", 0),
    }
}

fn unescape(text: &[u8], start: usize) -> Result<Vec<u8>, FormError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        decoded.push(match first {
            b'+' => b' ',
            b'%' => {
                // The standard takes a percent sign without digits for itself, others refuse it.
                let at = start + text.len() - behind.len() - 1;
                let (byte, behind) =
                    escape(behind).ok_or(FormError::new("a malformed escape", at))?;
                rest = behind;
                byte
            }
            byte => *byte,
        });
    }
    Ok(decoded)
}

/// The byte of two digits, and what is behind them.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, behind @ ..] = text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    Some((byte, behind))
}
