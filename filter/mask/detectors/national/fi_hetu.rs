//! Finnish personal identity codes.
//!
//! Source: Digi- ja väestötietovirasto, "Personal identity code" (the date and number modulo
//! 31).
//!
//! Validation: a date, a sign of the century, three digits and the check character.

use std::sync::LazyLock;

use super::checks::{day_first, number, part};
use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("henkilötunnus hetu"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.fi_hetu",
    label: "FI_HETU",
    forms: &[
        alone("######-###*"),
        alone("######+###*"),
        alone("######@###*"),
    ],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let date = part(characters, 0, 6);
    // The sign is among the characters where it is a letter.
    let rest = match characters.get(6) {
        Some(b'A'..=b'F' | b'U'..=b'Y') => 7,
        Some(b'0'..=b'9') => 6,
        _ => return false,
    };
    let body = number(date) * 1000 + number(part(characters, rest, 3));
    let place = usize::try_from(body % 31).unwrap_or(0);
    let check = characters.get(rest + 3);
    day_first(date) && b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(place) == check && check.is_some()
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("131052-308T", "[FI_HETU]"),
    ("131052A308T.", "[FI_HETU]."),
    ("131052-308A", "131052-308A"),
    ("131352-308T", "131352-308T"),
    ("131052G308T", "131052G308T"),
];
