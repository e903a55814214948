//! Indian permanent account numbers (PAN).
//!
//! Source: Income Tax Department, "PAN" (the fourth letter is the kind of holder).
//!
//! Validation: five letters, four digits and a letter; the kind is one of ABCFGHJLPT. The
//! check letter's scheme is not published.

use std::sync::LazyLock;

use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("pan"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.in_pan",
    label: "IN_PAN",
    forms: &[alone("@@@@@####@")],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    characters
        .get(3)
        .is_some_and(|kind| b"ABCFGHJLPT".contains(kind))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("AFZPK7190K", "[IN_PAN]"),
    ("pan afzpk7190k", "pan [IN_PAN]"),
    ("afzpk7190k", "afzpk7190k"),
    ("AFZXK7190K", "AFZXK7190K"),
    ("AFZPK71901", "AFZPK71901"),
    ("AFZPK7190K1", "AFZPK7190K1"),
];
