//! Australian Medicare numbers.
//!
//! Source: Services Australia, Medicare card numbers (weights 1, 3, 7, 9; the ninth digit
//! checks).
//!
//! Validation: ten digits that begin with 2 to 6, with their check digit, as 4-5-1; otherwise
//! with a word in front.

use std::sync::LazyLock;

use super::checks::{at, weighted};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("medicare"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.au_medicare",
    label: "AU_MEDICARE",
    forms: &[alone("#### ##### #"), with_word("##########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9]);
    matches!(digits.first(), Some(b'2'..=b'6')) && sum % 10 == at(digits, 8)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("2044 14188 1", "[AU_MEDICARE]"),
    ("Medicare 2044141881", "Medicare [AU_MEDICARE]"),
    ("2044141881", "2044141881"),
    ("2993 26949 1", "2993 26949 1"),
];
