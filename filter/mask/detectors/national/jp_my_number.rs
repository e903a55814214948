//! Japanese individual numbers (My Number).
//!
//! Source: Ministry of Internal Affairs, ordinance 85 of 2014 (modulus 11).
//!
//! Validation: twelve digits with their check digit, with a word in front.

use std::sync::LazyLock;

use super::checks::{all_the_same, at, weighted};
use super::number::{Number, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("mynumber individual *マイナンバー* *個人番号*"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.jp_my_number",
    label: "JP_MY_NUMBER",
    forms: &[with_word("############"), with_word("####~####~####")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let check = match weighted(digits, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    check == at(digits, 11) && !all_the_same(digits)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("マイナンバー: 102530421381", "マイナンバー: [JP_MY_NUMBER]"),
    (
        "individual number 1025 3042 1381",
        "individual number [JP_MY_NUMBER]",
    ),
    ("102530421381", "102530421381"),
    ("mynumber 119258505870", "mynumber 119258505870"),
];
