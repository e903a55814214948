//! Brazilian CPF, the register of natural persons.
//!
//! Source: Receita Federal, "CPF" (two check digits, modulus 11).
//!
//! Validation: eleven digits with both check digits, not all the same; without separators
//! with a word in front.

use std::sync::LazyLock;

use super::checks::{all_the_same, at, part, value};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("cpf cadastro contribuinte"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.br_cpf",
    label: "BR_CPF",
    forms: &[alone("###.###.###-##"), with_word("###########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let check = |len: usize| {
        let weights = (2..).take(len);
        let body = part(digits, 0, len).iter().rev().zip(weights);
        let sum: u32 = body.map(|(digit, weight)| value(*digit) * weight).sum();
        sum * 10 % 11 % 10 == at(digits, len)
    };
    check(9) && check(10) && !all_the_same(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("113.586.606-62", "[BR_CPF]"),
    ("CPF 11358660662.", "CPF [BR_CPF]."),
    ("11358660662", "11358660662"),
    ("113.586.606-63", "113.586.606-63"),
    ("111.111.111-11", "111.111.111-11"),
    ("113.586.606-621", "113.586.606-621"),
];
