//! Bitcoin addresses.
//!
//! Source: the Base58Check encoding (Bitcoin wiki) for the older addresses, BIP 173 (bech32)
//! and BIP 350 (bech32m) for those of witness programs.
//!
//! Validation: the older ones decode to 25 bytes whose version is 0 or 5 and whose last four
//! are the beginning of the double SHA-256 of the rest; the others have the prefix `bc1` (or
//! `tb1`), one case, and their checksum.
//! Whole: no letter or digit next to it.
//!
//! Bound: 90 characters and one more.

use sha2::{Digest, Sha256};

use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, alphanumeric, hit};

const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE58_LENGTHS: std::ops::RangeInclusive<usize> = 26..=35;
const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BECH32_LENGTHS: std::ops::RangeInclusive<usize> = 14..=90;
const DECODED: usize = 25;

pub(super) struct Bitcoin;

impl Detect for Bitcoin {
    fn starts(&self, first: u8) -> Start {
        if matches!(first, b'1' | b'3' | b'b' | b'B' | b't' | b'T') {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let most = match window.at(0)? {
            Some(b'1' | b'3') => *BASE58_LENGTHS.end(),
            _ => {
                let second = window.at(1)?.map(|b| b.to_ascii_lowercase());
                if second != Some(b'c') && second != Some(b'b') || window.at(2)? != Some(b'1') {
                    return Err(Miss::No);
                }
                *BECH32_LENGTHS.end()
            }
        };
        let len = window.run(0, most + 1, alphanumeric)?;
        let text = window.slice(0, len);
        if len <= most && (is_base58(text) || is_bech32(text)) {
            Ok(hit(len))
        } else {
            Err(Miss::No)
        }
    }

    fn run(&self) -> usize {
        *BECH32_LENGTHS.start()
    }

    fn bound(&self) -> usize {
        BECH32_LENGTHS.end() + 2
    }
}

fn place(alphabet: &[u8], byte: u8) -> Option<u32> {
    let place = alphabet.iter().position(|one| *one == byte)?;
    u32::try_from(place).ok()
}

fn is_base58(text: &[u8]) -> bool {
    if !BASE58_LENGTHS.contains(&text.len()) {
        return false;
    }
    let mut bytes = [0_u8; DECODED];
    for character in text {
        let Some(mut carry) = place(BASE58, *character) else {
            return false;
        };
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xff).unwrap_or(0);
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    let Some((body, check)) = bytes.split_last_chunk::<4>() else {
        return false;
    };
    // Each leading zero byte is written as a 1.
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let ones = text.iter().take_while(|byte| **byte == b'1').count();
    matches!(body.first(), Some(0 | 5))
        && zeros == ones
        && Sha256::digest(Sha256::digest(body)).starts_with(check)
}

fn is_bech32(text: &[u8]) -> bool {
    let lower = text.iter().any(u8::is_ascii_lowercase);
    let upper = text.iter().any(u8::is_ascii_uppercase);
    let [first, second, b'1', data @ ..] = text else {
        return false;
    };
    let prefix = [first.to_ascii_lowercase(), second.to_ascii_lowercase()];
    if !BECH32_LENGTHS.contains(&text.len())
        || (lower && upper)
        || !matches!(&prefix, b"bc" | b"tb")
    {
        return false;
    }
    let high = prefix.map(|byte| u32::from(byte >> 5));
    let low = prefix.map(|byte| u32::from(byte & 31));
    let mut sum = 1;
    for value in high.into_iter().chain([0]).chain(low) {
        sum = polymod(sum, value);
    }
    for byte in data {
        let Some(value) = place(BECH32, byte.to_ascii_lowercase()) else {
            return false;
        };
        sum = polymod(sum, value);
    }
    matches!(sum, 1 | 0x2bc8_30a3)
}

/// One step of the BCH code of BIP 173.
fn polymod(sum: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let top = sum >> 25;
    let next = (sum & 0x1ff_ffff) << 5 ^ value;
    let bits = GENERATOR.iter().enumerate();
    bits.filter(|(bit, _)| top >> bit & 1 == 1)
        .fold(next, |next, (_, generator)| next ^ generator)
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "[BITCOIN]"),
    ("to 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy.", "to [BITCOIN]."),
    (
        "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?x",
        "bitcoin:[BITCOIN]?x",
    ),
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "[BITCOIN]"),
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "[BITCOIN]",
    ),
    (
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
    ),
    (
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    ),
    (
        "bc1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    ),
    (
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNax",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNax",
    ),
    ("bc1 and 1A1zP1", "bc1 and 1A1zP1"),
];
