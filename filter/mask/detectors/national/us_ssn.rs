//! United States social security numbers.
//!
//! Source: the Social Security Administration's rules for numbers that are never issued.
//!
//! Validation: 3, 2 and 4 digits with a dash or a space between them, the same twice, or at
//! once where "SSN" or "social security" stands in front; the area is not 000, 666 or 900 and
//! up, the group not 00, the serial number not 0000. With spaces, no word of an address such
//! as "suite" is right in front.
//! Whole: no letter or digit next to it, and with dashes not a part of a longer chain of
//! dashed groups.
//!
//! Bound: 9 digits with two separators, and two bytes to see the end.

use std::sync::LazyLock;

use crate::detectors::context_words::{ContextWords, Vocabulary};
use crate::detectors::detect::{
    Detect, Hit, MAX_SEPARATOR_BYTES, Miss, Separator, Start, Window, hit, separator,
};

const DIGITS: usize = 9;

static FOR: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("ssn* social socialsecurity*"));

/// What groups of digits belong to that are the beginning of an address.
static ADDRESS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("apt apartment suite unit room floor box flat"));

/// How many words in front may say what nine digits are.
const MAX_WORDS_BACK: usize = 5;

pub(super) struct UsSsn;

impl Detect for UsSsn {
    fn starts(&self, first: u8) -> Start {
        if matches!(first, b'0'..=b'8') {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        digits(window, 0, 3)?;
        let (group, serial) = match separator(window, 3)? {
            None => (3, 5),
            Some((kind, len)) => {
                let group = 3 + len;
                digits(window, group, 2)?;
                match separator(window, group + 2)? {
                    Some((same, len)) if same == kind => (group, group + 2 + len),
                    _ => return Err(Miss::No),
                }
            }
        };
        digits(window, group, 2)?;
        digits(window, serial, 4)?;
        let end = serial + 4;
        let issued = !matches!(window.slice(0, 3), b"000" | b"666")
            && window.slice(group, 2) != b"00"
            && window.slice(serial, 4) != b"0000";
        if !issued || window.word_at(end)? {
            return Err(Miss::No);
        }
        let words = || ContextWords::new(window.behind);
        let whole = match separator(window, 3)? {
            Some((Separator::Dash, _)) => {
                !window.behind.digit_then(b'-')
                    && (window.at(end)? != Some(b'-') || !window.digit_at(end + 1)?)
            }
            Some((Separator::Space, _)) => !words().says(1, &ADDRESS),
            None => words().says(MAX_WORDS_BACK, &FOR),
        };
        if whole { Ok(hit(end)) } else { Err(Miss::No) }
    }

    fn digits(&self) -> usize {
        DIGITS
    }

    fn bound(&self) -> usize {
        DIGITS + 2 * MAX_SEPARATOR_BYTES + 2
    }
}

/// Whether exactly `count` digits stand at `from`.
fn digits(window: &Window<'_>, from: usize, count: usize) -> Result<(), Miss> {
    if window.run(from, count, |b| b.is_ascii_digit())? == count {
        Ok(())
    } else {
        Err(Miss::No)
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("078-05-1120", "[US_SSN]"),
    ("my ssn is 536 22 8726.", "my ssn is [US_SSN]."),
    ("(899-99-9999)", "([US_SSN])"),
    ("536-22-8726, 536-22-8727", "[US_SSN], [US_SSN]"),
    (
        "536\u{2011}22\u{2011}8726 536\u{a0}22\u{202f}8726",
        "[US_SSN] [US_SSN]",
    ),
    ("536\u{2026}22\u{2026}8726", "536\u{2026}22\u{2026}8726"),
    ("000-12-3456", "000-12-3456"),
    ("666-12-3456", "666-12-3456"),
    ("900-12-3456", "900-12-3456"),
    ("123-00-4567", "123-00-4567"),
    ("123-45-0000", "123-45-0000"),
    ("123-45 6789", "123-45 6789"),
    ("1123-45-6789", "1123-45-6789"),
    ("123-45-67890", "123-45-67890"),
    ("1-123-45-6789", "1-123-45-6789"),
    ("123-45-6789-1", "123-45-6789-1"),
    ("SSN: 123456789.", "SSN: [US_SSN]."),
    (
        "social security number 123456789",
        "social security number [US_SSN]",
    ),
    ("123456789", "123456789"),
    ("ssn 1234567890", "ssn 1234567890"),
    ("Suite 680 36 4022", "Suite 680 36 4022"),
    ("123-45-678", "123-45-678"),
    ("a123-45-6789", "a123-45-6789"),
    ("123-45-6789b", "123-45-6789b"),
];
