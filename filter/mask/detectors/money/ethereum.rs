//! Ethereum addresses.
//!
//! Source: the Ethereum Yellow Paper, 4.1 (20 bytes), written as `0x` and 40 hexadecimal
//! digits.
//!
//! Validation: the prefix and exactly 40 digits, not all the same. Whether the case of
//! the letters is right (ERC-55) is not checked: most addresses are written in lower case.
//! Whole: no letter or digit next to it.
//!
//! Bound: 43 bytes.

use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, hit};

const PREFIX: &[u8] = b"0x";
const DIGITS: usize = 40;

pub(super) struct Ethereum;

impl Detect for Ethereum {
    fn starts(&self, first: u8) -> Start {
        if first == b'0' {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        if !window.literal(0, PREFIX)? {
            return Err(Miss::No);
        }
        let len = window.run(PREFIX.len(), DIGITS + 1, |b| b.is_ascii_hexdigit())?;
        let end = PREFIX.len() + len;
        let digits = window.slice(PREFIX.len(), len);
        let same = digits.windows(2).all(|pair| pair.first() == pair.last());
        if len == DIGITS && !same && !window.word_at(end)? {
            Ok(hit(end))
        } else {
            Err(Miss::No)
        }
    }

    fn run(&self) -> usize {
        PREFIX.len() + DIGITS
    }

    fn bound(&self) -> usize {
        PREFIX.len() + DIGITS + 2
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("0x52908400098527886E0F7030069857D2E4169EE7", "[ETHEREUM]"),
    (
        "to 0xde709f2102306220921060314715629080e2fb77.",
        "to [ETHEREUM].",
    ),
    (
        "0x0000000000000000000000000000000000000000",
        "0x0000000000000000000000000000000000000000",
    ),
    (
        "0xde709f2102306220921060314715629080e2fb777",
        "0xde709f2102306220921060314715629080e2fb777",
    ),
    (
        "0xde709f2102306220921060314715629080e2fb7",
        "0xde709f2102306220921060314715629080e2fb7",
    ),
    (
        "00xde709f2102306220921060314715629080e2fb77",
        "00xde709f2102306220921060314715629080e2fb77",
    ),
];
