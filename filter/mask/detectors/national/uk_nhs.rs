//! NHS numbers of England, Wales and the Isle of Man.
//!
//! Source: NHS Data Dictionary, "NHS number" (weights 10 to 2, modulus 11).
//!
//! Validation: ten digits with their check digit. As 3-3-4 with dashes or at once with a word
//! in front; with spaces without one too, unless a phone number is announced. None begins
//! with 0 or 1.

use std::sync::LazyLock;

use super::checks::{all_the_same, weighted};
use super::number::{Number, unless_phone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("nhs patient* hospital medical chi"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.uk_nhs",
    label: "UK_NHS",
    forms: &[
        unless_phone("### ### ####"),
        with_word("###-###-####"),
        with_word("##########"),
    ],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    sum.is_multiple_of(11) && !all_the_same(digits) && !matches!(digits.first(), Some(b'0' | b'1'))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("at 943 422 0033", "at [UK_NHS]"),
    ("NHS number 9434220033,", "NHS number [UK_NHS],"),
    ("9434220033", "9434220033"),
    ("94342200331", "94342200331"),
    ("phone 943 422 0033", "phone [PHONE]"),
];
