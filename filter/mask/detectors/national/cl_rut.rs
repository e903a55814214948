//! Chilean RUT and RUN.
//!
//! Source: Servicio de Impuestos Internos (weights 2 to 7, modulus 11).
//!
//! Validation: seven or eight digits and the check character; without dots with a word in
//! front.

use std::sync::LazyLock;

use super::checks::value;
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("rut run"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.cl_rut",
    label: "CL_RUT",
    forms: &[
        alone("##.###.###-*"),
        alone("#.###.###-*"),
        with_word("########-*"),
        with_word("#######-*"),
    ],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let Some((check, digits)) = characters.split_last() else {
        return false;
    };
    let weights = [2, 3, 4, 5, 6, 7, 2, 3];
    let pairs = digits.iter().rev().zip(weights);
    let sum: u32 = pairs.map(|(digit, weight)| value(*digit) * weight).sum();
    let place = usize::try_from(sum % 11).unwrap_or(0);
    b"0K987654321".get(place) == Some(check)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("12.345.678-5", "[CL_RUT]"),
    ("9.876.543-3.", "[CL_RUT]."),
    ("RUT 12345678-5", "RUT [CL_RUT]"),
    ("12345678-5", "12345678-5"),
    ("12.345.678-1", "12.345.678-1"),
];
