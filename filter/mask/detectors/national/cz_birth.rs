//! Czech and Slovak birth numbers.
//!
//! Source: Zákon o evidenci obyvatel, § 13 (divisible by eleven; 50 is added to the month of
//! women, 20 more where a day's numbers are used up).
//!
//! Validation: a date, a slash and four digits; without a slash with a word in front.

use std::sync::LazyLock;

use super::checks::{date, number, part};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("rodné rodne rc rč"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.cz_birth",
    label: "CZ_BIRTH",
    forms: &[alone("######/####"), with_word("##########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let month = number(part(digits, 2, 2)) % 50;
    let month = if month > 20 { month - 20 } else { month };
    date(month, number(part(digits, 4, 2))) && number(digits).is_multiple_of(11)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("856012/7312", "[CZ_BIRTH]"),
    ("rodné číslo 8560127312", "rodné číslo [CZ_BIRTH]"),
    ("8560127312", "8560127312"),
    ("856012/7313", "856012/7313"),
];
