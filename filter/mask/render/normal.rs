//! One form for values that are the same although they are written in several ways.

use std::borrow::Cow;
use std::net::IpAddr;

/// The form that a detector's value is keyed in: two spellings of one value have one form, and two
/// values never have.
pub(super) fn normal<'a>(detector: &str, value: &'a [u8]) -> Cow<'a, [u8]> {
    match detector {
        // Case is of no account in a domain, and no mail server of today minds it before the @.
        "email" => value.to_ascii_lowercase().into(),
        "ip" | "ipv4" | "ipv6" => address(value),
        "phone" => phone(value).into(),
        "mac" | "mac_address" | "credit_card" | "iban" | "us_ssn" | "us_itin" | "uk_nino"
        | "uk_nhs" => signs(value).into(),
        _ => value.into(),
    }
}

/// Letters and digits without what stands between their groups.
fn signs(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_uppercase)
        .collect()
}

/// Digits, behind a plus sign where the number has its country's code.
fn phone(value: &[u8]) -> Vec<u8> {
    let plus = value
        .iter()
        .find(|byte| !byte.is_ascii_punctuation() || **byte == b'+');
    let digits = signs(value);
    let international = match digits.strip_prefix(b"00") {
        Some(rest) => Some(rest),
        None if plus == Some(&b'+') => Some(digits.as_slice()),
        None => None,
    };
    match international {
        Some(rest) => [b"+", rest].concat(),
        None => digits,
    }
}

fn address(value: &[u8]) -> Cow<'_, [u8]> {
    let parsed = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<IpAddr>().ok());
    match parsed {
        Some(address) => address.to_string().into_bytes().into(),
        None => value.to_ascii_lowercase().into(),
    }
}
