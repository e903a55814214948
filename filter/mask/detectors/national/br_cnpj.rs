//! Brazilian CNPJ, the register of legal persons.
//!
//! Source: Receita Federal, "CNPJ" (two check digits, modulus 11).
//!
//! Validation: fourteen digits with both check digits; without separators with a word in front.

use std::sync::LazyLock;

use super::checks::{all_the_same, at, weighted};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("cnpj cadastro"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.br_cnpj",
    label: "BR_CNPJ",
    forms: &[alone("##.###.###/####-##"), with_word("##############")],
    valid,
    words: &WORDS,
};

const WEIGHTS: &[u32] = &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];

fn valid(digits: &[u8]) -> bool {
    let check = |weights: &[u32]| match weighted(digits, weights) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    let first = WEIGHTS.get(1..).unwrap_or_default();
    check(first) == at(digits, 12) && check(WEIGHTS) == at(digits, 13) && !all_the_same(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("89.679.702/0001-57", "[BR_CNPJ]"),
    ("cnpj: 89679702000157", "cnpj: [BR_CNPJ]"),
    ("89679702000157", "89679702000157"),
    ("89.679.702/0001-58", "89.679.702/0001-58"),
];
