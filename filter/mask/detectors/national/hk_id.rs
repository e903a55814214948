//! Hong Kong identity card numbers.
//!
//! Source: Registration of Persons Regulations (weights 9 to 2, modulus 11; a missing first
//! letter counts 36).
//!
//! Validation: a letter, six digits and the check character in parentheses.

use std::sync::LazyLock;

use super::checks::weighted;
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("hkid"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.hk_id",
    label: "HK_ID",
    forms: &[alone("@######(*)")],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let sum = 36 * 9 + weighted(characters, &[8, 7, 6, 5, 4, 3, 2, 1]);
    sum.is_multiple_of(11)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("A123456(3)", "[HK_ID]"),
    ("hkid a123456(3).", "hkid [HK_ID]."),
    ("a123456(3)", "a123456(3)"),
    ("A123456(1)", "A123456(1)"),
    ("A1234563", "A1234563"),
];
