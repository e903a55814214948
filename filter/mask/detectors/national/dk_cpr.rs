//! Danish CPR numbers.
//!
//! Source: CPR-kontoret, "Opbygning af CPR-nummeret" (numbers given out since 2007 have no
//! check digit).
//!
//! Validation: a date and four digits, with a word in front.

use std::sync::LazyLock;

use super::checks::day_first;
use super::number::{Number, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("cpr personnummer cprnummer"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.dk_cpr",
    label: "DK_CPR",
    forms: &[with_word("######-####"), with_word("##########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    day_first(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("CPR: 211062-5629", "CPR: [DK_CPR]"),
    ("cpr 2110625629", "cpr [DK_CPR]"),
    ("211062-562", "211062-562"),
    ("211362-5629", "211362-5629"),
];
