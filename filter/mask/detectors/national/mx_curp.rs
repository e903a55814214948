//! Mexican CURP.
//!
//! Source: RENAPO, "Instructivo normativo" (letters of the name, a date, sex, state; the
//! check digit counts the alphabet with Ñ).
//!
//! Validation: eighteen characters with a date, sex H, M or X, and the check digit.

use std::sync::LazyLock;

use super::checks::{at, part, value, year_first};
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("curp"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.mx_curp",
    label: "MX_CURP",
    forms: &[alone("@@@@######@@@@@@*#")],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let sum: u32 = characters
        .iter()
        .zip((2..=18).rev())
        .map(|(one, weight)| {
            // Ñ stands between N and O.
            let value = value(*one) + u32::from(*one > b'N');
            value * weight
        })
        .sum();
    year_first(part(characters, 4, 6))
        && matches!(characters.get(10), Some(b'H' | b'M' | b'X'))
        && (10 - sum % 10) % 10 == at(characters, 17)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("HEGG560427MVZRRL04", "[MX_CURP]"),
    ("curp hegg560427mvzrrl04", "curp [MX_CURP]"),
    ("hegg560427mvzrrl04", "hegg560427mvzrrl04"),
    ("HEGG560427MVZRRL05", "HEGG560427MVZRRL05"),
    ("HEGG560427MVZRRL041", "HEGG560427MVZRRL041"),
];
