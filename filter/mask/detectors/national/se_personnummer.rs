//! Swedish personal and coordination numbers.
//!
//! Source: Skatteverket, SKV 704 (Luhn over ten digits; 60 is added to the day of
//! coordination numbers).
//!
//! Validation: a date, a dash (a plus sign from the age of a hundred on) and four digits, the
//! last of which is the check digit; without a sign with a word in front.

use std::sync::LazyLock;

use super::checks::{date, luhn, number, part};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("personnummer samordningsnummer pnr"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.se_personnummer",
    label: "SE_PERSONNUMMER",
    forms: &[
        alone("######-####"),
        alone("########-####"),
        alone("######+####"),
        with_word("##########"),
        with_word("############"),
    ],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let ten = part(digits, digits.len().saturating_sub(10), 10);
    let day = number(part(ten, 4, 2));
    let day = if day > 60 { day - 60 } else { day };
    let century = digits.len() == 10 || digits.starts_with(b"19") || digits.starts_with(b"20");
    century && date(number(part(ten, 2, 2)), day) && luhn(ten)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("811218-7631", "[SE_PERSONNUMMER]"),
    ("19811218-7631", "[SE_PERSONNUMMER]"),
    ("811218+7631", "[SE_PERSONNUMMER]"),
    ("pnr 198112187631", "pnr [SE_PERSONNUMMER]"),
    ("8112187631", "8112187631"),
    ("811218-7632", "811218-7632"),
    ("811318-7631", "811318-7631"),
    ("811218-7631-1", "811218-7631-1"),
];
