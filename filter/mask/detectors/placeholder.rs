//! Pseudonyms of one request, where they stand in its answer.
//!
//! A model may write a pseudonym in another case, without its brackets, and with a space, a dash
//! or Markdown's `\_` for an underscore (and `\[` and `\]` for its brackets). Those that stand for
//! nothing are no matches.
//!
//! Validation: the pseudonym is one of the request's. Whole: no letter or digit on either side of
//! what stands between the brackets.
//!
//! Bound: the longest pseudonym, with each underscore escaped, its brackets, and one byte to see
//! the end.

use std::rc::Rc;

use super::detect::{Detect, Hit, Miss, Start, Window, hit};
use crate::Originals;

pub(crate) struct Placeholder {
    originals: Rc<Originals>,
    longest: usize,
}

impl Placeholder {
    pub(crate) fn new(originals: &Rc<Originals>) -> Self {
        Self {
            longest: originals.names().map(str::len).max().unwrap_or(0),
            originals: Rc::clone(originals),
        }
    }

    /// How many bytes of the text, from `from` on, are one of the pseudonyms.
    fn name(&self, window: &Window<'_>, from: usize) -> Result<usize, Miss> {
        let mut name = String::with_capacity(self.longest);
        let mut at = from;
        loop {
            if self.originals.get(&name).is_some() {
                return if window.word_at(at)? {
                    Err(Miss::No)
                } else {
                    Ok(at - from)
                };
            }
            let byte = window.at(at)?.ok_or(Miss::No)?;
            let (sign, len) = match byte {
                b'\\' if window.at(at + 1)? == Some(b'_') => ('_', 2),
                b'_' | b'-' | b' ' => ('_', 1),
                _ if byte.is_ascii_alphanumeric() => (char::from(byte.to_ascii_lowercase()), 1),
                _ => return Err(Miss::No),
            };
            name.push(sign);
            at += len;
            if !self.originals.begins(&name) {
                return Err(Miss::No);
            }
        }
    }
}

impl Detect for Placeholder {
    fn starts(&self, first: u8) -> Start {
        let letter = char::from(first.to_ascii_lowercase());
        if matches!(first, b'[' | b'\\') {
            Start::Anywhere
        } else if first.is_ascii_alphanumeric()
            && self.originals.begins(letter.encode_utf8(&mut [0; 4]))
        {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let (open, close): (usize, &[u8]) = match window.at(0)? {
            Some(b'[') => (1, b"]"),
            Some(b'\\') if window.at(1)? == Some(b'[') => (2, b"\\]"),
            Some(b'\\') => return Err(Miss::No),
            _ => return self.name(window, 0).map(hit),
        };
        let len = open + self.name(window, open)?;
        if window.literal(len, close)? {
            Ok(hit(len + close.len()))
        } else {
            Err(Miss::No)
        }
    }

    fn bound(&self) -> usize {
        2 * self.longest + 5
    }
}
