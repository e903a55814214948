//! Malaysian identity card numbers.
//!
//! Source: Jabatan Pendaftaran Negara (a date, the place of birth, a sequence).
//!
//! Validation: a date, a place that is given out, and four digits, with dashes; otherwise
//! with a word in front.

use std::sync::LazyLock;

use super::checks::{number, part, year_first};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("nric mykad kad pengenalan ic"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.my_nric",
    label: "MY_NRIC",
    forms: &[alone("######-##-####"), with_word("############")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let place = number(part(digits, 6, 2));
    year_first(digits) && !matches!(place, 0 | 17..=20 | 69..=70 | 73 | 80..=81 | 94..=97)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("850101-14-5678", "[MY_NRIC]"),
    ("MyKad 850101145678", "MyKad [MY_NRIC]"),
    ("851301-14-5678", "851301-14-5678"),
    ("850101-00-5678", "850101-00-5678"),
    ("850101145678", "850101145678"),
];
