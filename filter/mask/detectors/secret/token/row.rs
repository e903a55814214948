//! A row of the tables: a family of tokens, and the characters they are made of.

use crate::detectors::detect::{Hit, Miss, Tail, Window, hit};

/// A detector: its name, its label, and the forms of its tokens.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) forms: &'static [Form],
}

/// One form of a family's tokens.
pub(super) struct Form {
    pub(super) prefixes: &'static [&'static str],
    pub(super) class: fn(u8) -> bool,
    /// How many characters follow the prefix: exactly, or at least.
    pub(super) length: Length,
}

#[derive(Clone, Copy)]
pub(super) enum Length {
    Exactly(usize),
    /// At least so many; the rest may hold single bytes of the second part between its
    /// characters.
    From(usize, &'static [u8]),
}

pub(super) fn upper_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

pub(super) fn hexadecimal(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

pub(super) fn lower_hexadecimal(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

pub(super) fn lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

pub(super) fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// base64 in a query.
pub(super) fn percent_encoded(byte: u8) -> bool {
    base64(byte) || byte == b'%'
}

/// The segments of a path.
pub(super) fn path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'@')
}

pub(super) fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Form {
    /// Looks for a token of this form at the window's first byte.
    pub(super) fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        for prefix in self.prefixes {
            if !window.literal(0, prefix.as_bytes())? {
                continue;
            }
            let start = prefix.len();
            match self.length {
                Length::Exactly(count) => {
                    // One more than there may be: then it is a part of something longer.
                    if window.run(start, count + 1, self.class)? == count
                        && !window.word_at(start + count)?
                    {
                        return Ok(hit(start + count));
                    }
                }
                Length::From(count, joiners) => {
                    if window.run(start, count, self.class)? == count {
                        let class = self.class;
                        return Ok(Hit {
                            len: start + count,
                            tail: Some(Tail::Run { class, joiners }),
                        });
                    }
                }
            }
        }
        Err(Miss::No)
    }
}
