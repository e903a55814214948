//! German tax identification numbers (Steuer-ID).
//!
//! Source: Abgabenordnung § 139b and its ordinance (ISO 7064, MOD 11,10; of the first ten
//! digits exactly one comes twice or three times).
//!
//! Validation: eleven digits with their check digit and repetitions; without spaces with a
//! word in front.

use std::sync::LazyLock;

use super::checks::{mod_11_10, part};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("steuer* idnr identifikationsnummer tin"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.de_tax",
    label: "DE_TAX",
    forms: &[alone("## ### ### ###"), with_word("###########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let body = part(digits, 0, 10);
    let times = |digit: u8| body.iter().filter(|one| **one == digit).count();
    let mut repeated = (b'0'..=b'9').map(times).filter(|times| *times > 1);
    let one = matches!(repeated.next(), Some(2 | 3)) && repeated.next().is_none();
    one && !digits.starts_with(b"0") && mod_11_10(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("58 727 367 499", "[DE_TAX]"),
    ("Steuer-ID: 58727367499", "Steuer-ID: [DE_TAX]"),
    ("58727367499", "58727367499"),
    ("43 962 297 496", "43 962 297 496"),
];
