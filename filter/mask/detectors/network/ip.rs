//! IP addresses.
//!
//! Source: RFC 791 in dotted decimals; RFC 4291, 2.2 for IPv6 (full, compressed, and with
//! an IPv4 address at its end).
//!
//! Validation: four octets of 0 to 255; for IPv6 what the standard library reads. A short
//! compressed form is also code (`Face::Bad`, `[1::2]`), so one group of three digits or
//! more must be in it; `::1` passes. Each must have a decimal digit. A time such as
//! 12:30:45 is no IPv6 address. Four numbers behind a word such as "section" or a browser's
//! name don't count either.
//! Whole: no letter, digit or colon in front, no letter or digit behind, and not a part of a
//! longer dotted number: `1.2.3.4` in `1.2.3.4.5` stays.
//!
//! Bound: 45 bytes, and three to see the end.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use crate::detectors::context_words::{ContextWords, Vocabulary};
use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, hit};

const MAX_ADDRESS_BYTES: usize = 45;
/// Two colons and a digit.
const MIN_ADDRESS_BYTES: usize = 3;

/// What four numbers with dots are besides, where it stands right in front of them.
static AGAINST: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new(
        "section* sec chapter clause paragraph appendix annex version* ver release oid
         objectidentifier chrome chromium headlesschrome crios edg edge opr opera vivaldi
         safari firefox applewebkit electron",
    )
});

pub(super) struct Ip;

fn address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

impl Detect for Ip {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_hexdigit() || first == b':' {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        match v4(window) {
            Err(Miss::No) => v6(window),
            other => other,
        }
    }

    fn run(&self) -> usize {
        MIN_ADDRESS_BYTES
    }

    fn bound(&self) -> usize {
        MAX_ADDRESS_BYTES + 3
    }
}

fn v4(window: &Window<'_>) -> Result<Hit, Miss> {
    let mut index = 0;
    for octet in 0..4 {
        if octet > 0 {
            if window.at(index)? != Some(b'.') {
                return Err(Miss::No);
            }
            index += 1;
        }
        let len = window.run(index, 4, |b| b.is_ascii_digit())?;
        let value = window
            .slice(index, len)
            .iter()
            .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        if !(1..=3).contains(&len) || value > 255 {
            return Err(Miss::No);
        }
        index += len;
    }
    let longer = window.behind.digit_then(b'.')
        || window.word_at(index)?
        || (window.at(index)? == Some(b'.') && window.digit_at(index + 1)?);
    if longer || ContextWords::new(window.behind).says(1, &AGAINST) {
        Err(Miss::No)
    } else {
        Ok(hit(index))
    }
}

fn v6(window: &Window<'_>) -> Result<Hit, Miss> {
    // Words such as "added" are told apart early: four hexadecimal digits, then a colon.
    let group = window.run(0, 5, |b| b.is_ascii_hexdigit())?;
    if group > 4 || window.at(group)? != Some(b':') || window.behind.byte() == Some(b':') {
        return Err(Miss::No);
    }
    let run = window.run(0, MAX_ADDRESS_BYTES + 2, address)?;
    if window.word_at(run)? {
        return Err(Miss::No);
    }
    let text = window.slice(0, run);
    // A full stop or colon of the sentence may stand right behind the address.
    let shorter = text
        .strip_suffix(b".")
        .or_else(|| text.strip_suffix(b":").filter(|head| !head.ends_with(b":")));
    [Some(text), shorter]
        .into_iter()
        .flatten()
        .find(|text| is_v6(text))
        .map(|text| hit(text.len()))
        .ok_or(Miss::No)
}

fn is_v6(text: &[u8]) -> bool {
    if text.len() > MAX_ADDRESS_BYTES {
        return false;
    }
    let parsed = std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    let compressed = text.windows(2).any(|pair| pair == b"::");
    let long_group = text.split(|b| *b == b':').any(|group| group.len() >= 3);
    let digit = text.iter().any(u8::is_ascii_digit);
    parsed && digit && (!compressed || long_group || text == b"::1")
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("10.0.0.1", "[IP]"),
    (
        "from 255.255.255.255:8080, then 1.1.1.1.",
        "from [IP]:8080, then [IP].",
    ),
    ("192.168.0.0/16", "[IP]/16"),
    ("2001:db8:85a3:0:0:8a2e:370:7334", "[IP]"),
    ("fe80::1: reachable", "[IP]: reachable"),
    ("[::1]:80 ::ffff:192.168.0.1.", "[[IP]]:80 [IP]."),
    ("2001:DB8::.", "[IP]."),
    ("fe80::1%eth0", "[IP]%eth0"),
    ("1.2.3.4.5", "1.2.3.4.5"),
    ("RFC 5280, section 4.2.1.12", "RFC 5280, section 4.2.1.12"),
    ("Chrome/120.0.0.0 Safari", "Chrome/120.0.0.0 Safari"),
    ("1.2.3", "1.2.3"),
    ("256.1.1.1", "256.1.1.1"),
    ("v1.2.3.4", "v1.2.3.4"),
    ("1.2.3.4x", "1.2.3.4x"),
    ("12:30:45", "12:30:45"),
    ("12:30:45:10", "12:30:45:10"),
    ("a::b", "a::b"),
    ("[1::2]", "[1::2]"),
    ("std::vec", "std::vec"),
    ("Face::Bad", "Face::Bad"),
    ("::", "::"),
    ("ab:cd:ef:ab:cd:ef:ab:cd", "ab:cd:ef:ab:cd:ef:ab:cd"),
    ("00:1B:44:11:3A", "00:1B:44:11:3A"),
    ("2001:db8::1::2", "2001:db8::1::2"),
    ("2001:db8:::1", "2001:db8:::1"),
    ("x2001:db8::1", "x2001:db8::1"),
    (
        "2001:db8:85a3:0:0:8a2e:370:7334:1",
        "2001:db8:85a3:0:0:8a2e:370:7334:1",
    ),
    ("2001:db8::g", "2001:db8::g"),
];
