//! Australian tax file numbers.
//!
//! Source: Australian Taxation Office (weights 1, 4, 3, 7, 5, 8, 6, 9, 10; modulus 11).
//!
//! Validation: nine digits that pass the check, with a word in front.

use std::sync::LazyLock;

use super::checks::{all_the_same, weighted};
use super::number::{Number, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("tfn tax taxfile"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.au_tfn",
    label: "AU_TFN",
    forms: &[with_word("### ### ###"), with_word("#########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11) && !all_the_same(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("TFN 627736039", "TFN [AU_TFN]"),
    ("tax file number: 627 736 039", "tax file number: [AU_TFN]"),
    ("627 736 039", "627 736 039"),
    ("TFN 879017363", "TFN 879017363"),
];
