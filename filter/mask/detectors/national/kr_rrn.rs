//! Korean resident and alien registration numbers.
//!
//! Source: Resident Registration Act (a date, then the century and sex; numbers given out
//! since October 2020 have no check digit).
//!
//! Validation: a date, a dash, a digit from 1 to 8 and six more; without a dash with a word
//! in front.

use std::sync::LazyLock;

use super::checks::year_first;
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("rrn resident *주민* jumin"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.kr_rrn",
    label: "KR_RRN",
    forms: &[alone("######-#######"), with_word("#############")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    year_first(digits) && matches!(digits.get(6), Some(b'1'..=b'8'))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("900101-1234567", "[KR_RRN]"),
    ("주민등록번호 9001011234567", "주민등록번호 [KR_RRN]"),
    ("901301-1234567", "901301-1234567"),
    ("900101-9234567", "900101-9234567"),
    ("9001011234560", "9001011234560"),
];
