//! Norwegian birth and D-numbers.
//!
//! Source: Skatteetaten, "Fødselsnummer" (two check digits, modulus 11; 40 is added to the
//! day of D-numbers).
//!
//! Validation: eleven digits with a date and both check digits.

use std::sync::LazyLock;

use super::checks::{date, number, part, weighted};
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("fødselsnummer fodselsnummer personnummer"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.no_fodselsnummer",
    label: "NO_FODSELSNUMMER",
    forms: &[alone("###########"), alone("###### #####")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let day = number(part(digits, 0, 2));
    let day = if day > 40 { day - 40 } else { day };
    date(number(part(digits, 2, 2)), day)
        && weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("01018041495", "[NO_FODSELSNUMMER]"),
    ("010180 41495.", "[NO_FODSELSNUMMER]."),
    ("01018041496", "01018041496"),
    ("010180414950", "010180414950"),
];
