//! Canadian social insurance numbers.
//!
//! Source: Service Canada, "Social Insurance Number" (Luhn).
//!
//! Validation: nine digits with their check digit that don't begin with 0 or 8; other than
//! with dashes, with a word in front.

use std::sync::LazyLock;

use super::checks::luhn;
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("sin social insurance nas assurance"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.ca_sin",
    label: "CA_SIN",
    forms: &[
        alone("###-###-###"),
        with_word("### ### ###"),
        with_word("#########"),
    ],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    luhn(digits) && !matches!(digits.first(), Some(b'0' | b'8'))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("175-217-488", "[CA_SIN]"),
    ("SIN 175 217 488", "SIN [CA_SIN]"),
    ("sin: 175217488", "sin: [CA_SIN]"),
    ("175217488", "175217488"),
    ("175 217 488", "175 217 488"),
    ("185-159-045", "185-159-045"),
    ("175-217-488-1", "175-217-488-1"),
];
