//! The contract of a detector, and what many of them share.

pub(crate) use crate::window::{Hit, Miss, Tail, Window};

/// Where a detector's matches may begin with a certain byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nowhere.
    Never,
    /// Where no ASCII letter or digit stands in front.
    Edge,
    /// Anywhere.
    Anywhere,
}

/// How many bytes at the front of a match [`Detect::digits`] counts in.
pub(crate) const LEAD_BYTES: usize = 32;

/// Runs of graphic bytes are counted up to this length.
pub(crate) const MAX_COUNTED_RUN: usize = 20;

/// This many letters in a row are not part of a number.
pub(crate) const WORD_LETTERS: usize = 3;

/// One detector.
///
/// `find` is a function of the text alone: once it has answered a match or [`Miss::No`], it
/// gives the same answer however much more of the text it is shown. So where a text is cut
/// into pieces cannot change what is found in it.
pub(crate) trait Detect {
    /// Where a match may begin with `first`.
    fn starts(&self, first: u8) -> Start;

    /// Looks for a match that begins at the window's first byte.
    ///
    /// # Errors
    /// [`Miss::No`] where there is none, [`Miss::More`] where that is open.
    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss>;

    /// The most bytes that it must be shown before it no longer answers [`Miss::More`].
    fn bound(&self) -> usize;

    /// The fewest digits that a match has in its first [`LEAD_BYTES`] bytes, in front of any
    /// [`WORD_LETTERS`] ASCII letters in a row.
    fn digits(&self) -> usize {
        0
    }

    /// The fewest graphic ASCII bytes that a match begins with, counted up to [`MAX_COUNTED_RUN`].
    fn run(&self) -> usize {
        1
    }

    /// Whether it is open more often than others while a word is being written, so that asking it
    /// first saves asking the others.
    fn is_often_open(&self) -> bool {
        false
    }
}

/// A letter, digit, `-` or `_`: the alphabet of base64url and of most tokens.
pub(super) fn base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A letter, digit or `_`: what words are made of.
pub(super) fn word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A digit or a letter.
pub(super) fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// A match of `len` bytes.
pub(super) fn hit(len: usize) -> Hit {
    Hit { len, tail: None }
}

/// What may stand between the groups of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Space,
    Dash,
}

/// How many bytes a separator has at most.
pub(super) const MAX_SEPARATOR_BYTES: usize = 3;

/// The separator at `index` and how many bytes it has.
///
/// Language models like to write the non-breaking and typographic forms: U+00A0, the spaces
/// from U+2000 on, U+202F, and the hyphens and dashes from U+2010 on.
pub(super) fn separator(
    window: &Window<'_>,
    index: usize,
) -> Result<Option<(Separator, usize)>, Miss> {
    Ok(match window.at(index)? {
        Some(b' ') => Some((Separator::Space, 1)),
        Some(b'-') => Some((Separator::Dash, 1)),
        Some(0xc2) if window.at(index + 1)? == Some(0xa0) => Some((Separator::Space, 2)),
        Some(0xe2) if window.at(index + 1)? == Some(0x80) => match window.at(index + 2)? {
            Some(0x80..=0x8a | 0xaf) => Some((Separator::Space, 3)),
            Some(0x90..=0x95) => Some((Separator::Dash, 3)),
            _ => None,
        },
        _ => None,
    })
}
