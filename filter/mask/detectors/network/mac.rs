//! Hardware addresses (EUI-48).
//!
//! Source: IEEE 802, 8.1 (six octets with dashes between them), and the usual forms with
//! colons, or as three groups of four with dots.
//!
//! Validation: hexadecimal digits with one and the same separator, a decimal digit among them;
//! not all the same octet, which is broadcast or a placeholder.
//! Whole: no letter or digit next to it, and not a part of a longer chain.
//!
//! Bound: 17 bytes, and two to see the end.

use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, hit};

/// Three groups of four digits with dots between them.
const MIN_ADDRESS_BYTES: usize = 14;

pub(super) struct Mac;

impl Detect for Mac {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_hexdigit() {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let group = window.run(0, 5, |b| b.is_ascii_hexdigit())?;
        let separator = window.at(group)?.ok_or(Miss::No)?;
        let groups = match (group, separator) {
            (2, b':' | b'-') => 6,
            (4, b'.') => 3,
            _ => return Err(Miss::No),
        };
        let mut index = 0;
        for place in 0..groups {
            if place > 0 {
                if window.at(index)? != Some(separator) {
                    return Err(Miss::No);
                }
                index += 1;
            }
            if window.run(index, group, |b| b.is_ascii_hexdigit())? < group {
                return Err(Miss::No);
            }
            index += group;
        }
        let text = window.slice(0, index);
        let first = window.slice(0, group);
        let same = text.chunks(group + 1).all(|octet| octet.starts_with(first));
        let chained = window.behind.byte() == Some(separator)
            || (window.at(index)? == Some(separator)
                && window.at(index + 1)?.is_some_and(|b| b.is_ascii_hexdigit()));
        if same || chained || window.word_at(index)? || !text.iter().any(u8::is_ascii_digit) {
            return Err(Miss::No);
        }
        Ok(hit(index))
    }

    fn run(&self) -> usize {
        MIN_ADDRESS_BYTES
    }

    fn bound(&self) -> usize {
        19
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("00:1B:44:11:3A:B7", "[MAC]"),
    ("eth0 00-1b-44-11-3a-b7, up", "eth0 [MAC], up"),
    ("001b.4411.3ab7.", "[MAC]."),
    ("mac=f0:18:98:aa:bb:c0/24", "mac=[MAC]/24"),
    ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"),
    ("00:00:00:00:00:00", "00:00:00:00:00:00"),
    ("aa:bb:cc:dd:ee:fe", "aa:bb:cc:dd:ee:fe"),
    ("00:1B:44:11:3A", "00:1B:44:11:3A"),
    ("00:1B:44:11:3A:B7:C8", "00:1B:44:11:3A:B7:C8"),
    ("00:1B-44:11:3A:B7", "00:1B-44:11:3A:B7"),
    ("00:1B:44:11:3A:B7C", "00:1B:44:11:3A:B7C"),
    ("12:30:45", "12:30:45"),
];
