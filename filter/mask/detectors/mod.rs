//! The detectors: what of a text is a match, each in a file of its own.
//!
//! | folder | detectors |
//! |---|---|
//! | person/ | e-mail addresses, phone numbers, dates of birth, passports, coordinates |
//! | money/ | cards, accounts, wallets |
//! | national/ | numbers that states give to people |
//! | network/ | addresses of machines |
//! | secret/ | keys, tokens, passwords |
//!
//! pattern/, words/ and canary.rs are the policy's own detectors; front.rs reads the words in front
//! of a match.

pub(super) mod group;
pub(super) mod own;

mod canary;
mod front;
mod money;
mod national;
mod network;
mod pattern;
mod person;
mod placeholder;
mod secret;
mod words;

#[cfg(test)]
pub(super) mod tests;

use super::window::{Hit, Miss, Tail, Window};

pub(super) use pattern::Part;
pub(super) use placeholder::Placeholder;
pub(super) use secret::private_key;

/// Where a detector's matches may begin with a certain byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Nowhere.
    Never,
    /// Where no ASCII letter or digit stands in front.
    Edge,
    /// Anywhere.
    Anywhere,
}

/// How many bytes at the front of a match the digits are counted in that it has at least.
pub(super) const LEAD: usize = 32;

/// Graphic bytes in a row that are told from more.
pub(super) const RUN: usize = 20;

/// So many letters in a row are no part of a number.
pub(super) const LETTERS: usize = 3;

/// One detector.
///
/// `find` is a function of the text alone: once it has answered a match or [`Miss::No`], it
/// gives the same answer however much more of the text it is shown. So where a text is cut
/// into pieces cannot change what is found in it.
pub(super) trait Detect {
    /// Where a match may begin with `first`.
    fn starts(&self, first: u8) -> Start;

    /// Looks for a match that begins at the window's first byte.
    ///
    /// # Errors
    /// [`Miss::No`] where there is none, [`Miss::More`] where that is open.
    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss>;

    /// The most bytes that it must be shown before it no longer answers [`Miss::More`].
    fn bound(&self) -> usize;

    /// The fewest digits that a match has in its first [`LEAD`] bytes, in front of any
    /// [`LETTERS`] ASCII letters in a row.
    fn digits(&self) -> usize {
        0
    }

    /// The fewest graphic ASCII bytes that a match begins with; more than [`RUN`] count as so many.
    fn run(&self) -> usize {
        1
    }

    /// Whether it is open more often than others while a word is being written, so that asking it
    /// first saves asking the others.
    fn is_often_open(&self) -> bool {
        false
    }
}

/// The detector of a name in [`BUILT_IN_DETECTORS`](crate::config::mask::BUILT_IN_DETECTORS)
/// and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    let families = [
        secret::built_in,
        person::built_in,
        money::built_in,
        national::built_in,
        network::built_in,
    ];
    families.iter().find_map(|family| family(name))
}

/// A letter, digit, `-` or `_`: the alphabet of base64url and of most tokens.
fn base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A digit or a letter.
fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// A match of `len` bytes.
fn hit(len: usize) -> Hit {
    Hit { len, tail: None }
}

/// What may stand between the groups of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Space,
    Dash,
}

/// How many bytes a separator has at most.
const LONGEST_SEPARATOR: usize = 3;

/// The separator at `index` and how many bytes it has.
///
/// Language models like to write the non-breaking and typographic forms: U+00A0, the spaces
/// from U+2000 on, U+202F, and the hyphens and dashes from U+2010 on.
fn separator(window: &Window<'_>, index: usize) -> Result<Option<(Separator, usize)>, Miss> {
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
