//! The guard's own secrets, which nothing that it sends may hold.
//!
//! | here | what it does |
//! |---|---|
//! | `written` | the ways in which formats write a secret |
//! | `needles` | looks for all of these at once |
//! | `spelled` | a secret of which any characters are escapes |
//! | `scrub` | looks for these in bytes of any format, and writes asterisks over them |
//! | `spread` | looks in texts that go on from event to event, where no run of bytes has all of it |
//!
//! A secret is found exactly as it is, whatever stands around it, escaped as JSON, HTML and URLs
//! escape, in UTF-16 and UTF-32, and in base64 of a text that has it.
//!
//! # What it can't
//! - A secret of fewer than [`MIN_SECRET_BYTES`] bytes is not looked for: much that is none would
//!   be found.
//! - A part of a secret passes, and so does another writing of it than these: one that is
//!   compressed, in base64 with line feeds or twice, or spelled out in words.
//! - Escapes of one sort in those of another are found only where texts are read.

mod needles;
mod scrub;
mod spelled;
mod spread;
mod written;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;

use crate::formats::base64::coder;
use needles::Needles;
pub use scrub::Scrub;
pub(crate) use spelled::{Reading, Spelled};
pub use spread::SpreadSecrets;

/// What matches are counted under.
pub const OWN_SECRET: &str = "own_secret";

/// How many bytes a secret has that is looked for, at least.
pub const MIN_SECRET_BYTES: usize = 8;

/// The most bytes of a secret that is looked for in texts; in bytes it may have any number.
const MAX_TEXT_BYTES: usize = 4096;

/// Strings that nothing may hold. They are never shown.
#[derive(Default)]
pub struct Secrets {
    /// As they are, the longest first, for texts.
    texts: Vec<Box<[u8]>>,
    /// These, to be looked for at once.
    in_texts: Needles,
    /// In every way in which they may be written.
    written: Needles,
    /// With escapes.
    spelled: Spelled,
    /// The same of those that may stand in texts with escapes.
    spelled_in_texts: Spelled,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secrets({})", self.texts.len())
    }
}

impl Secrets {
    /// Those of the values that are long enough to be looked for.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter();
        let values = values.filter(|it| it.len() >= MIN_SECRET_BYTES);
        let values: BTreeSet<&str> = base::sort::inserted(values);
        let ways = |it: &&str| {
            let coded = written::in_base64(it);
            let wide = written::in_wide_units(it);
            written::ways(it).into_iter().chain(coded).chain(wide)
        };
        let written: BTreeSet<Vec<u8>> = base::sort::inserted(values.iter().flat_map(ways));
        let texts = values.iter().filter(|it| it.len() <= MAX_TEXT_BYTES);
        let mut texts: Vec<Box<[u8]>> = texts.map(|it| it.as_bytes().into()).collect();
        base::sort::sort_by_key(&mut texts, |it| std::cmp::Reverse(it.len()));
        Self {
            in_texts: Needles::new(texts.iter().map(|it| it.to_vec())),
            texts,
            written: Needles::new(written),
            spelled: Spelled::new(values.iter().copied(), usize::MAX),
            spelled_in_texts: Spelled::new(values.iter().copied(), MAX_TEXT_BYTES),
        }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The secrets as texts have them, the longest first.
    pub(crate) fn texts(&self) -> &[Box<[u8]>] {
        &self.texts
    }

    /// Where one of these begins, or may; the bytes' length if nowhere. What ends with the bytes is open,
    /// unless they are `last`.
    pub(crate) fn first_in_text(&self, bytes: &[u8], last: bool) -> usize {
        let first = self.in_texts.first(bytes);
        match last {
            true => first,
            false => first.min(self.in_texts.open_from(bytes)),
        }
    }

    /// The secrets as texts may have them with escapes.
    pub(crate) fn spelled_in_texts(&self) -> &Spelled {
        &self.spelled_in_texts
    }

    /// Where secrets stand in the bytes, one in another too: from and to, by where they begin.
    fn places(&self, bytes: &[u8], last: bool) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        self.written.find(bytes, |from, to| {
            places.push((from, to));
            true
        });
        self.spelled.visit(bytes, 0, last, |place| {
            places.extend(place.to.map(|to| (place.from, to)));
            true
        });
        base::sort::sort(&mut places);
        places
    }

    /// Where a secret begins at the end of the bytes without being whole; their length if nowhere.
    fn open_from(&self, bytes: &[u8]) -> usize {
        let mut first = self.written.open_from(bytes);
        let tail = bytes.len().saturating_sub(self.spelled.most());
        self.spelled.visit(bytes, tail, false, |place| {
            if place.to.is_none() {
                first = first.min(place.from);
            }
            true
        });
        first
    }

    /// The value of a header or trailer with asterisks over secrets, and how many there were;
    /// `None` if there are none. `name` is in lower case: what ends with `-bin` is read as base64
    /// (gRPC over HTTP/2, "Custom-Metadata").
    #[must_use]
    pub fn scrub_field(&self, name: &[u8], value: &[u8]) -> Option<(Vec<u8>, u64)> {
        if !name.ends_with(b"-bin") {
            let (out, found) = self.scrubbed(value);
            return (found > 0).then_some((out, found));
        }
        let mut found = 0;
        let parts = value.split(|byte| *byte == b',').map(|part| {
            let decoded = coder(&STANDARD, false).decode(part.trim_ascii());
            let (out, count) = match decoded.map(|decoded| self.scrubbed(&decoded)) {
                Err(_) => self.scrubbed(part),
                Ok((_, 0)) => (part.to_vec(), 0),
                Ok((inner, count)) => {
                    let padded = part.trim_ascii().ends_with(b"=");
                    (coder(&STANDARD, padded).encode(inner).into_bytes(), count)
                }
            };
            found += count;
            out
        });
        let parts: Vec<Vec<u8>> = parts.collect();
        // It may as well be as it is.
        let (out, count) = self.scrubbed(&parts.join(&b','));
        found += count;
        (found > 0).then_some((out, found))
    }

    fn scrubbed(&self, bytes: &[u8]) -> (Vec<u8>, u64) {
        let mut scrub = Scrub::default();
        let mut out = Vec::with_capacity(bytes.len());
        scrub.push(self, bytes, true, &mut out);
        (out, scrub.found())
    }
}
