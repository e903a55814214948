//! French NIR, the social security number.
//!
//! Source: INSEE, "NIR" (key 97 minus the number modulo 97; 2A and 2B of Corsica count as 19
//! and 18).
//!
//! Validation: fifteen characters that begin with 1 or 2, with a month and the key.

use std::sync::LazyLock;

use super::checks::{number, part};
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("nir sécurité securite insee carte vitale"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.fr_nir",
    label: "FR_NIR",
    forms: &[alone("# ## ## #* ### ### ##"), alone("######*########")],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let department = match part(characters, 5, 2) {
        b"2A" => 19,
        b"2B" => 18,
        digits if digits.iter().all(u8::is_ascii_digit) => number(digits),
        _ => return false,
    };
    let month = number(part(characters, 3, 2));
    let body = number(part(characters, 0, 5)) * 100_000_000
        + department * 1_000_000
        + number(part(characters, 7, 6));
    matches!(characters.first(), Some(b'1' | b'2'))
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && 97 - body % 97 == number(part(characters, 13, 2))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("1 85 05 75 591 174 89", "[FR_NIR]"),
    ("185057559117489.", "[FR_NIR]."),
    ("285122A12345695", "[FR_NIR]"),
    ("185057559117480", "185057559117480"),
    ("1 85 05 75 591 174 80", "1 85 05 75 591 174 80"),
    ("1850575591174890", "1850575591174890"),
    ("385057559117489", "385057559117489"),
];
