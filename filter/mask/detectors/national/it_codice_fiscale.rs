//! Italian codice fiscale.
//!
//! Source: Decreto ministeriale 23 December 1976 (check letter; letters in place of digits
//! where two people would have the same code).
//!
//! Validation: sixteen characters: six letters, year, month, day, place, and the check letter.

use std::sync::LazyLock;

use super::checks::value;
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("codice fiscale cf"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.it_codice_fiscale",
    label: "IT_CODICE_FISCALE",
    forms: &[alone("@@@@@@**@**@***@")],
    valid,
    words: &WORDS,
};

/// What the characters at odd places count, first the digits, then the letters.
const ODD: [u32; 36] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6,
    8, 12, 14, 16, 10, 22, 25, 24, 23,
];

fn valid(characters: &[u8]) -> bool {
    let digit = |place: &usize| {
        let one = characters.get(*place);
        one.is_some_and(|one| one.is_ascii_digit() || b"LMNPQRSTUV".contains(one))
    };
    let month = characters
        .get(8)
        .is_some_and(|one| b"ABCDEHLMPRST".contains(one));
    let Some((check, body)) = characters.split_last() else {
        return false;
    };
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(place, one)| count(place, *one))
        .sum();
    // A code without any digit is a word that happens to fit.
    month
        && [6, 7, 9, 10, 12, 13, 14].iter().all(digit)
        && body.iter().any(u8::is_ascii_digit)
        && value(*check) == 10 + sum % 26
}

fn count(place: usize, one: u8) -> u32 {
    let value = value(one);
    if place.is_multiple_of(2) {
        let index = usize::try_from(value).unwrap_or(0);
        ODD.get(index).copied().unwrap_or(0)
    } else if one.is_ascii_digit() {
        value
    } else {
        value - 10
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("RSSMRA85T10A562S", "[IT_CODICE_FISCALE]"),
    ("CF: rssmra85t10a562s", "CF: [IT_CODICE_FISCALE]"),
    ("rssmra85t10a562s", "rssmra85t10a562s"),
    ("RSSMRA85T10A562A", "RSSMRA85T10A562A"),
    ("RSSMRA85T10A562S1", "RSSMRA85T10A562S1"),
];
