//! Thai identification numbers.
//!
//! Source: Department of Provincial Administration (weights 13 to 2, modulus 11).
//!
//! Validation: thirteen digits with their check digit that don't begin with 0; without dashes
//! with a word in front.

use std::sync::LazyLock;

use super::checks::{at, weighted};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("*บัตรประชาชน* id citizen"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.th_id",
    label: "TH_ID",
    forms: &[alone("#-####-#####-##-#"), with_word("#############")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    (11 - sum % 11) % 10 == at(digits, 12) && !digits.starts_with(b"0")
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("1-1649-51255-20-8", "[TH_ID]"),
    ("citizen id 1164951255208", "citizen id [TH_ID]"),
    ("1164951255208", "1164951255208"),
    ("1-1649-51255-20-9", "1-1649-51255-20-9"),
];
