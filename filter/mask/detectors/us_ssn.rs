//! United States social security numbers.
//!
//! Source: the Social Security Administration's rules for numbers that are never issued.
//!
//! Validation: 3, 2 and 4 digits with a dash or a space between them, the same twice; the
//! area is not 000, 666 or 900 and up, the group not 00, the serial number not 0000. Nine
//! digits without a separator are too common to be taken for one.
//! Whole: no letter or digit next to it, and with dashes not a part of a longer chain of
//! dashed groups.
//!
//! Bound: 9 digits with two separators, and two bytes to see the end.

use super::{Detect, Hit, LONGEST_SEPARATOR, Miss, Separator, Start, Window, hit, separator};

const DIGITS: usize = 9;

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
        let (separator, len) = separator(window, 3)?.ok_or(Miss::No)?;
        let group = 3 + len;
        digits(window, group, 2)?;
        let len = match self::separator(window, group + 2)? {
            Some((same, len)) if same == separator => len,
            _ => return Err(Miss::No),
        };
        let serial = group + 2 + len;
        digits(window, serial, 4)?;
        let end = serial + 4;
        let issued = !matches!(window.slice(0, 3), b"000" | b"666")
            && window.slice(group, 2) != b"00"
            && window.slice(serial, 4) != b"0000";
        if !issued || window.word_at(end)? {
            return Err(Miss::No);
        }
        let chained = separator == Separator::Dash
            && (window.behind.digit_then(b'-')
                || (window.at(end)? == Some(b'-') && window.digit_at(end + 1)?));
        if chained { Err(Miss::No) } else { Ok(hit(end)) }
    }

    fn bound(&self) -> usize {
        DIGITS + 2 * LONGEST_SEPARATOR + 2
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
pub(super) const EXAMPLES: &[(&str, &str)] = &[
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
    ("123456789", "123456789"),
    ("123-45-678", "123-45-678"),
    ("a123-45-6789", "a123-45-6789"),
    ("123-45-6789b", "123-45-6789b"),
];
