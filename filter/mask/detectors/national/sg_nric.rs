//! Singaporean NRIC and FIN.
//!
//! Source: Immigration and Checkpoints Authority (weights 2, 7, 6, 5, 4, 3, 2; modulus 11).
//!
//! Validation: S, T, F, G or M, seven digits and the check letter.

use std::sync::LazyLock;

use super::checks::weighted;
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("nric fin"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.sg_nric",
    label: "SG_NRIC",
    forms: &[alone("@#######@")],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let [kind, digits @ .., check] = characters else {
        return false;
    };
    let (offset, letters): (u32, &[u8]) = match kind {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let sum = offset + weighted(digits, &[2, 7, 6, 5, 4, 3, 2]);
    let place = usize::try_from(sum % 11).unwrap_or(0);
    letters.get(place) == Some(check)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("S1234567D", "[SG_NRIC]"),
    ("G7654321L,", "[SG_NRIC],"),
    ("NRIC s1234567d", "NRIC [SG_NRIC]"),
    ("s1234567d", "s1234567d"),
    ("S1234567A", "S1234567A"),
    ("A1234567D", "A1234567D"),
];
