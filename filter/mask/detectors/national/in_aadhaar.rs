//! Indian Aadhaar numbers.
//!
//! Source: UIDAI, "Aadhaar number" (Verhoeff's scheme).
//!
//! Validation: twelve digits with their check digit that don't begin with 0 or 1; without
//! separators with a word in front.

use std::sync::LazyLock;

use super::checks::{all_the_same, verhoeff};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("aadhaar aadhar aadhaarnumber uidai uid आधार"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.in_aadhaar",
    label: "IN_AADHAAR",
    forms: &[alone("####~####~####"), with_word("############")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    verhoeff(digits) && !matches!(digits.first(), Some(b'0' | b'1')) && !all_the_same(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("2354 7527 7204", "[IN_AADHAAR]"),
    ("2354-7527-7204", "[IN_AADHAAR]"),
    ("Aadhaar: 235475277204", "Aadhaar: [IN_AADHAAR]"),
    ("235475277204", "235475277204"),
    ("2305 6086 5690", "2305 6086 5690"),
    ("2354 7527 7204 1234", "2354 7527 7204 1234"),
    ("2354 7527-7204", "2354 7527-7204"),
];
