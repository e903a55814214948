//! Russian SNILS, the insurance account.
//!
//! Source: Pension Fund, order 192p (weights 9 to 1, modulus 101).
//!
//! Validation: nine digits and both check digits; without dashes with a word in front.

use std::sync::LazyLock;

use super::checks::{all_the_same, number, part, weighted};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("снилс СНИЛС snils страховой"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.ru_snils",
    label: "RU_SNILS",
    forms: &[alone("###-###-### ##"), with_word("###########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
    u64::from(sum) == number(part(digits, 9, 2)) && !all_the_same(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("513-364-390 64", "[RU_SNILS]"),
    ("СНИЛС 51336439064", "СНИЛС [RU_SNILS]"),
    ("51336439064", "51336439064"),
    ("513-364-390 65", "513-364-390 65"),
];
