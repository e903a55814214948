//! Spanish DNI and NIE.
//!
//! Source: Real Decreto 1553/2005; Ministerio del Interior, "Cálculo del dígito de control"
//! (the number modulo 23).
//!
//! Validation: eight digits, or X, Y or Z and seven, and the letter that belongs to them.

use std::sync::LazyLock;

use super::checks::number;
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("dni nie nif"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.es_dni",
    label: "ES_DNI",
    forms: &[
        alone("########@"),
        alone("########-@"),
        alone("##.###.###-@"),
        alone("@#######@"),
        alone("@-#######-@"),
    ],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let Some((letter, digits)) = characters.split_last() else {
        return false;
    };
    let number = match digits {
        [b'X', rest @ ..] => number(rest),
        [b'Y', rest @ ..] => 10_000_000 + number(rest),
        [b'Z', rest @ ..] => 20_000_000 + number(rest),
        [b'0'..=b'9', ..] => number(digits),
        _ => return false,
    };
    let place = usize::try_from(number % 23).unwrap_or(0);
    b"TRWAGMYFPDXBNJZSQVHLCKE".get(place) == Some(letter)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("12345678Z", "[ES_DNI]"),
    ("12.345.678-Z,", "[ES_DNI],"),
    ("X-1234567-L", "[ES_DNI]"),
    ("X1234567L", "[ES_DNI]"),
    ("dni 12345678z", "dni [ES_DNI]"),
    ("12345678z", "12345678z"),
    ("12345678A", "12345678A"),
    ("A1234567L", "A1234567L"),
    ("12345678Z1", "12345678Z1"),
];
