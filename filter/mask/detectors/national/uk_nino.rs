//! United Kingdom national insurance numbers.
//!
//! Source: HMRC, NIM39110 (prefixes that are not given out).
//!
//! Validation: two letters, six digits and a letter from A to D; the first letter is none of
//! DFIQUV, the second none of DFIOQUV, the pair none of BG, GB, KN, NK, NT, TN, ZZ.

use std::sync::LazyLock;

use super::number::{Number, alone};
use crate::detectors::context_words::Vocabulary;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::new("nino national insurance ni"));

pub(super) const NUMBER: Number = Number {
    name: "national_id.uk_nino",
    label: "UK_NINO",
    forms: &[
        alone("@@######@"),
        alone("@@ ## ## ## @"),
        alone("@@ ###### @"),
    ],
    valid,
    words: &WORDS,
};

fn valid(characters: &[u8]) -> bool {
    let [first, second, .., suffix] = characters else {
        return false;
    };
    let unused = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && !unused.contains(&&[*first, *second])
        && (b'A'..=b'D').contains(suffix)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("AB123456C", "[UK_NINO]"),
    ("is AB 12 34 56 C.", "is [UK_NINO]."),
    ("nino ab123456c", "nino [UK_NINO]"),
    ("ab123456c", "ab123456c"),
    ("QQ123456C", "QQ123456C"),
    ("GB123456C", "GB123456C"),
    ("AB123456E", "AB123456E"),
    ("AB1234567C", "AB1234567C"),
    ("XAB123456C", "XAB123456C"),
];
