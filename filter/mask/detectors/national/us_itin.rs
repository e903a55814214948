//! United States individual taxpayer identification numbers.
//!
//! Source: IRS, Publication 1915 (the ranges that are given out).
//!
//! Validation: nine digits that begin with 9, with a group of 50 to 65, 70 to 88, 90 to 92 or
//! 94 to 99.

use std::sync::LazyLock;

use super::checks::{number, part};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("itin taxpayer tin"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.us_itin",
    label: "US_ITIN",
    forms: &[alone("###~##~####"), with_word("#########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let group = number(part(digits, 3, 2));
    digits.starts_with(b"9") && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("912-70-1234", "[US_ITIN]"),
    ("ITIN 912 88 1234.", "ITIN [US_ITIN]."),
    ("itin: 912701234", "itin: [US_ITIN]"),
    ("912-66-1234", "912-66-1234"),
    ("912-93-1234", "912-93-1234"),
    ("912701234", "912701234"),
    ("912-70 1234", "912-70 1234"),
    ("912-70-1234-5", "912-70-1234-5"),
];
