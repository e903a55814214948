//! Belgian national register numbers.
//!
//! Source: Koninklijk besluit of 3 April 1984 (97 minus the number modulo 97; from 2000 on
//! with a 2 in front).
//!
//! Validation: a date, three digits and both check digits; without dots with a word in front.

use std::sync::LazyLock;

use super::checks::{number, part, year_first};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("rijksregister* registre insz niss national"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.be_national",
    label: "BE_NATIONAL",
    forms: &[alone("##.##.##-###.##"), with_word("###########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let body = number(part(digits, 0, 9));
    let check = number(part(digits, 9, 2));
    let passes = |body: u64| 97 - body % 97 == check;
    year_first(digits) && (passes(body) || passes(2_000_000_000 + body))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("85.07.30-033.28", "[BE_NATIONAL]"),
    ("INSZ 85073003328", "INSZ [BE_NATIONAL]"),
    ("85073003328", "85073003328"),
    ("85.07.30-033.01", "85.07.30-033.01"),
    ("85.13.30-033.28", "85.13.30-033.28"),
];
