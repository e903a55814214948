//! Dutch citizen service numbers (BSN).
//!
//! Source: Logisch ontwerp BSN (the test by eleven).
//!
//! Validation: nine digits with their check digit, with a word in front.

use std::sync::LazyLock;

use super::checks::{all_the_same, at, weighted};
use super::number::{Number, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("bsn burgerservicenummer sofi sofinummer"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.nl_bsn",
    label: "NL_BSN",
    forms: &[with_word("#########"), with_word("####.##.###")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum % 11 == at(digits, 8) && !all_the_same(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("BSN 189157768", "BSN [NL_BSN]"),
    ("bsn: 1891.57.768", "bsn: [NL_BSN]"),
    ("189157768", "189157768"),
    ("BSN 119497364", "BSN 119497364"),
];
