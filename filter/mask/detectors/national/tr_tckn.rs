//! Turkish identification numbers.
//!
//! Source: Nüfus Hizmetleri Kanunu (two check digits, modulus 10).
//!
//! Validation: eleven digits with both check digits that don't begin with 0, with a word in
//! front.

use std::sync::LazyLock;

use super::checks::{at, weighted};
use super::number::{Number, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("tckn tc kimlik vatandaşlık"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.tr_tckn",
    label: "TR_TCKN",
    forms: &[with_word("###########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    // Seven times the odd places, and nine times (that is, minus) the even ones.
    let first = weighted(digits, &[7, 9, 7, 9, 7, 9, 7, 9, 7]) % 10;
    let second = weighted(digits, &[1; 10]) % 10;
    !digits.starts_with(b"0") && first == at(digits, 9) && second == at(digits, 10)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("TCKN 13971968194", "TCKN [TR_TCKN]"),
    ("T.C. Kimlik No: 13971968194", "T.C. Kimlik No: [TR_TCKN]"),
    ("13971968194", "13971968194"),
    ("TCKN 13971968195", "TCKN 13971968195"),
];
