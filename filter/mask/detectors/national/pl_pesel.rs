//! Polish PESEL.
//!
//! Source: Ustawa o ewidencji ludności, art. 15 (weights 1, 3, 7, 9; the century in the month).
//!
//! Validation: eleven digits with a date and their check digit, with a word in front.

use std::sync::LazyLock;

use super::checks::{date, number, part, weighted};
use super::number::{Number, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("pesel"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.pl_pesel",
    label: "PL_PESEL",
    forms: &[with_word("###########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let month = number(part(digits, 2, 2)) % 20;
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    date(month, number(part(digits, 4, 2))) && sum.is_multiple_of(10)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("PESEL: 85051439533", "PESEL: [PL_PESEL]"),
    ("85051439533", "85051439533"),
    ("PESEL 85051439534", "PESEL 85051439534"),
    ("pesel 850514395331", "pesel 850514395331"),
];
