//! Argentine CUIT and CUIL.
//!
//! Source: AFIP, resolution 10/97 (weights 5 to 2 and 7 to 2, modulus 11).
//!
//! Validation: a kind from 20 to 34, eight digits and the check digit; without dashes with a
//! word in front.

use std::sync::LazyLock;

use super::checks::{at, number, part, weighted};
use super::number::{Number, alone, with_word};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("cuit cuil"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.ar_cuit",
    label: "AR_CUIT",
    forms: &[alone("##-########-#"), with_word("###########")],
    valid,
    words: &WORDS,
};

fn valid(digits: &[u8]) -> bool {
    let check = match weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        0 => 0,
        1 => 9,
        rest => 11 - rest,
    };
    (20..=34).contains(&number(part(digits, 0, 2))) && check == at(digits, 10)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("20-25841837-9", "[AR_CUIT]"),
    ("CUIT 20258418379", "CUIT [AR_CUIT]"),
    ("20258418379", "20258418379"),
    ("20-25841837-0", "20-25841837-0"),
];
