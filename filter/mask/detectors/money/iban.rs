//! International bank account numbers.
//!
//! Source: ISO 13616 and the IBAN registry (the length per country); ISO 7064 for the check
//! by mod 97.
//!
//! Validation: a country of the registry, its length, the check digits. Upper or lower
//! case; at once or in groups of four with a space or a dash between them.
//! Whole: no letter or digit next to it.
//!
//! Bound: 34 characters with 8 separators, and one byte to see the end.

use crate::detectors::detect::{
    Detect, Hit, MAX_SEPARATOR_BYTES, Miss, Start, Window, hit, separator,
};

const MAX_IBAN_CHARACTERS: usize = 34;
/// The country and the check digits, between which nothing stands.
const PREFIX_CHARACTERS: usize = 4;
const CHECK_DIGITS: usize = 2;

/// The length of a number by country, in the order of the country's code.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

pub(super) struct Iban;

impl Detect for Iban {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_alphabetic() {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        if window.run(0, 2, |b| b.is_ascii_alphabetic())? < 2
            || window.run(2, 2, |b| b.is_ascii_digit())? < 2
        {
            return Err(Miss::No);
        }
        let Some(country) = window.bytes.first_chunk::<2>() else {
            return Err(Miss::No);
        };
        let country = country.map(|letter| letter.to_ascii_uppercase());
        let Ok(place) = LENGTHS.binary_search_by(|(code, _)| (*code).cmp(&country)) else {
            return Err(Miss::No);
        };
        let length = LENGTHS.get(place).map_or(0, |(_, length)| *length);
        let mut check = Check::default();
        let mut grouping = None;
        let mut index = 0;
        for character in 0..length {
            if character > 0 && character % 4 == 0 {
                // Either every group of four is separated, by the same kind, or none is.
                match separator(window, index)? {
                    Some((kind, len)) if character == 4 || grouping == Some(kind) => {
                        grouping = Some(kind);
                        index += len;
                    }
                    _ if grouping.is_some() => return Err(Miss::No),
                    _ => {}
                }
            }
            match window.at(index)? {
                Some(byte) if byte.is_ascii_alphanumeric() => check.push(character, byte),
                _ => return Err(Miss::No),
            }
            index += 1;
        }
        if check.passes() && !window.word_at(index)? {
            Ok(hit(index))
        } else {
            Err(Miss::No)
        }
    }

    fn digits(&self) -> usize {
        CHECK_DIGITS
    }

    fn run(&self) -> usize {
        PREFIX_CHARACTERS
    }

    fn bound(&self) -> usize {
        MAX_IBAN_CHARACTERS + MAX_IBAN_CHARACTERS / 4 * MAX_SEPARATOR_BYTES + 1
    }
}

/// The number mod 97, with its first four characters at the end, as they arrive.
#[derive(Default)]
struct Check {
    head: [u8; 4],
    remainder: u32,
}

impl Check {
    fn push(&mut self, character: usize, byte: u8) {
        match self.head.get_mut(character) {
            Some(place) => *place = byte,
            None => self.remainder = append(self.remainder, byte),
        }
    }

    fn passes(&self) -> bool {
        self.head
            .iter()
            .fold(self.remainder, |sum, byte| append(sum, *byte))
            == 1
    }
}

/// Appends a character to a number mod 97; letters count from 10 to 35.
fn append(remainder: u32, byte: u8) -> u32 {
    if byte.is_ascii_digit() {
        (remainder * 10 + u32::from(byte - b'0')) % 97
    } else {
        (remainder * 100 + u32::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("DE89370400440532013000", "[IBAN]"),
    ("DE89 3704 0044 0532 0130 00", "[IBAN]"),
    ("iban gb29nwbk60161331926819.", "iban [IBAN]."),
    ("FR14-2004-1010-0505-0001-3M02-606", "[IBAN]"),
    (
        "NO9386011117947 MT84MALT011000012345MTLCAST001S",
        "[IBAN] [IBAN]",
    ),
    ("DE89\u{202f}3704\u{a0}0044 0532 0130 00", "[IBAN]"),
    ("NL91 ABNA 0417 1643 00 12", "[IBAN] 12"),
    ("DE89370400440532013001", "DE89370400440532013001"),
    ("DE8937040044053201300", "DE8937040044053201300"),
    ("DE893704004405320130000", "DE893704004405320130000"),
    ("XX89370400440532013000", "XX89370400440532013000"),
    ("ADE89370400440532013000", "ADE89370400440532013000"),
    ("DE89 3704 00440532013000", "DE89 3704 00440532013000"),
    (
        "DE89  3704 0044 0532 0130 00",
        "DE89  3704 0044 0532 0130 00",
    ),
    ("DE 89 3704", "DE 89 3704"),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_countries_are_in_order() {
        assert!(super::LENGTHS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
