//! The tokens of a text, one after the other.

use super::error::Reason;
use super::{number, words};

/// A number of no more bytes whose exponent has no more, its sign among them, is less than 10^299.
const MAX_SAFE_BYTES: usize = 200;
const MAX_SAFE_EXPONENT_BYTES: usize = 2;

/// Where in a text one is.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// What the last string with an escape says.
    decoded: String,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            decoded: String::new(),
        }
    }

    /// The place of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes the byte that [`Self::token`] gave.
    #[inline]
    pub(super) fn pass(&mut self) {
        self.at += 1;
    }

    /// The next byte that is not white space.
    #[inline]
    pub(super) fn token(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                token => return token,
            }
        }
    }

    /// Passes the word that should stand here.
    pub(super) fn word(&mut self, word: &[u8]) -> Result<(), Reason> {
        if !self.rest().starts_with(word) {
            return Err(Reason::Word);
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads a number; its value if it is a whole number of 0 or more that fits.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Option<u64>, Reason> {
        if let Some((value, bytes)) = words::short_number(self.rest()) {
            self.at += bytes;
            return Ok(Some(value));
        }
        self.any_number()
    }

    fn any_number(&mut self) -> Result<Option<u64>, Reason> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(Reason::Number);
        }
        let mut fraction = "";
        if self.peek() == Some(b'.') {
            self.at += 1;
            fraction = self.digits()?;
        }
        let mut exponent = "";
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            let sign = self.at;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
            exponent = self.text.get(sign..self.at).unwrap_or_default();
        }
        if (self.at - start > MAX_SAFE_BYTES || exponent.len() > MAX_SAFE_EXPONENT_BYTES)
            && !number::is_finite(whole, fraction, exponent)
        {
            return Err(Reason::Range);
        }
        // 1.0 is a whole number to readers that aren't strict.
        let zeros = fraction.bytes().all(|digit| digit == b'0');
        let is_whole = !negative && exponent.is_empty() && zeros;
        Ok(is_whole.then(|| whole.parse().ok()).flatten())
    }

    /// Reads digits, of which there must be one.
    #[inline]
    fn digits(&mut self) -> Result<&'t str, Reason> {
        let start = self.at;
        self.at += words::before_other_than_digit(self.rest());
        match self.text.get(start..self.at) {
            Some(digits) if !digits.is_empty() => Ok(digits),
            _ => Err(Reason::Number),
        }
    }

    /// Reads a string behind its first quote, decoded.
    #[inline]
    pub(super) fn string(&mut self) -> Result<&str, Reason> {
        let start = self.at;
        let end = start + words::before_special(self.rest());
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(self.text.get(start..end).unwrap_or_default());
        }
        self.decoded.clear();
        self.pieces::<true>()?;
        Ok(&self.decoded)
    }

    /// Passes a string behind its first quote.
    #[inline]
    pub(super) fn skip_string(&mut self) -> Result<(), Reason> {
        self.at += words::before_special(self.rest());
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(());
        }
        self.pieces::<false>()
    }

    /// Passes the rest of a string with its last quote; what it says is added to `decoded` if that is
    /// to be kept.
    fn pieces<const KEEP: bool>(&mut self) -> Result<(), Reason> {
        loop {
            let start = self.at;
            self.at += words::before_special(self.rest());
            if KEEP {
                let plain = self.text.get(start..self.at);
                self.decoded.push_str(plain.unwrap_or_default());
            }
            // Of some scripts every character is an escape.
            while self.peek() == Some(b'\\') {
                let character = self.escape()?;
                if KEEP {
                    self.decoded.push(character);
                }
            }
            match self.peek() {
                Some(b'"') => break,
                Some(..b' ') => return Err(Reason::Control),
                Some(_) => {}
                None => return Err(Reason::Ended),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Reads an escape.
    fn escape(&mut self) -> Result<char, Reason> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'n') => '\n',
            Some(mark @ (b'"' | b'\\' | b'/')) => char::from(mark),
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(_) => return Err(Reason::Escape),
            None => return Err(Reason::Ended),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads an escape behind its `\u`, or two that are a surrogate pair.
    fn unicode_escape(&mut self) -> Result<char, Reason> {
        let unit = self.hex()?;
        if let Some(character) = char::from_u32(unit) {
            return Ok(character);
        }
        if !self.rest().starts_with(b"\\u") {
            return Err(Reason::Surrogate);
        }
        self.at += 2;
        match (unit, self.hex()?) {
            (high @ 0xD800..=0xDBFF, low @ 0xDC00..=0xDFFF) => {
                char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
            }
            _ => None,
        }
        .ok_or(Reason::Surrogate)
    }

    /// Reads four hexadecimal digits.
    fn hex(&mut self) -> Result<u32, Reason> {
        let digits = self.rest().first_chunk().copied();
        let unit = digits.and_then(words::hex).ok_or(Reason::Escape)?;
        self.at += 4;
        Ok(unit)
    }
}
