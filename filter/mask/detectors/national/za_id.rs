//! South African identity numbers.
//!
//! Source: Department of Home Affairs, Identification Act (a date, a sequence, citizenship,
//! Luhn).
//!
//! Validation: thirteen digits with a date, 0 to 2 for citizenship, 8 or 9, and their check
//! digit.

use std::sync::LazyLock;

use super::checks::{luhn, year_first};
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("id identity"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.za_id",
    label: "ZA_ID",
    forms: &[alone("#############"), alone("###### #### ## #")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    year_first(digits)
        && matches!(digits.get(10), Some(b'0'..=b'2'))
        && matches!(digits.get(11), Some(b'8' | b'9'))
        && luhn(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("8001019375088", "[ZA_ID]"),
    ("800101 9375 08 8.", "[ZA_ID]."),
    ("8001019375089", "8001019375089"),
    ("80010193750880", "80010193750880"),
];
