//! Chinese resident identity numbers.
//!
//! Source: GB 11643-1999 (region, date, sequence; ISO 7064, MOD 11-2).
//!
//! Validation: eighteen characters with a date of the last two centuries and their check
//! character.

use std::sync::LazyLock;

use super::checks::{number, part, weighted, year_first};
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("*身份证* id identity"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.cn_resident",
    label: "CN_RESIDENT",
    forms: &[alone("#################*")],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let sum = weighted(
        characters,
        &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2],
    );
    let place = usize::try_from(sum % 11).unwrap_or(0);
    let year = number(part(characters, 6, 4));
    !characters.starts_with(b"0")
        && (1850..2100).contains(&year)
        && year_first(part(characters, 8, 6))
        && b"10X98765432".get(place) == characters.get(17)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("11010519491231002X", "[CN_RESIDENT]"),
    ("110105194912310038。", "[CN_RESIDENT]。"),
    ("110105194912310021", "110105194912310021"),
    ("110105194913310021", "110105194913310021"),
    ("11010519491231002X1", "11010519491231002X1"),
];
