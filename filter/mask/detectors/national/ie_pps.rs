//! Irish personal public service numbers.
//!
//! Source: Department of Social Protection (weights 8 to 2, modulus 23; a second letter
//! counts nine times its place).
//!
//! Validation: seven digits, the check letter and one more letter or none, with a word in
//! front.

use std::sync::LazyLock;

use super::checks::{value, weighted};
use super::number::{Number, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("pps ppsn ppsno"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.ie_pps",
    label: "IE_PPS",
    forms: &[with_word("#######@"), with_word("#######@@")],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let second = match characters.get(8) {
        Some(b'W') | None => 0,
        Some(letter) => value(*letter) - 9,
    };
    let sum = weighted(characters, &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
    let place = usize::try_from(sum % 23).unwrap_or(0);
    b"WABCDEFGHIJKLMNOPQRSTUV".get(place) == characters.get(7)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("PPS 1234567T", "PPS [IE_PPS]"),
    ("ppsn: 1234567FA", "ppsn: [IE_PPS]"),
    ("1234567T", "1234567T"),
    ("PPS 1234567A", "PPS 1234567A"),
];
