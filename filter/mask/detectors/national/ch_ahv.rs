//! Swiss social security numbers (AHV, AVS).
//!
//! Source: Zentrale Ausgleichsstelle, "AHVN13" (756, and the check digit of EAN-13).
//!
//! Validation: thirteen digits that begin with 756, with their check digit.

use std::sync::LazyLock;

use super::checks::weighted;
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("ahv avs"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.ch_ahv",
    label: "CH_AHV",
    forms: &[alone("###.####.####.##"), alone("#############")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    digits.starts_with(b"756") && sum.is_multiple_of(10)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("756.8319.0402.52", "[CH_AHV]"),
    ("AHV 7568319040252", "AHV [CH_AHV]"),
    ("756.8319.0402.53", "756.8319.0402.53"),
    ("7578319040252", "7578319040252"),
    ("756.8319.0402.52.1", "756.8319.0402.52.1"),
];
