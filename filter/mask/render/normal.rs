//! A normal form, so that a value written in several ways counts as one value.

use std::borrow::Cow;
use std::net::IpAddr;

/// The form that a detector's value is keyed in: two spellings of one value have one form, and two
/// values never have.
pub(super) fn normal<'a>(detector: &str, value: &'a [u8]) -> Cow<'a, [u8]> {
    match detector {
        // Case is of no account in a domain, and no mail server of today minds it before the @; in
        // an Ethereum address it is a check.
        "email" | "crypto.ethereum" => value.to_ascii_lowercase().into(),
        "ip" => address(value),
        "phone" => phone(value).into(),
        "mac" | "credit_card" | "iban" | "us_ssn" | "passport" => signs(value).into(),
        _ if detector.starts_with("national_id.") => signs(value).into(),
        _ => value.into(),
    }
}

/// Letters and digits without what stands between their groups. A plus sign stays: in some numbers
/// it tells the century.
fn signs(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric() || **byte == b'+')
        .map(u8::to_ascii_uppercase)
        .collect()
}

/// Digits, behind a plus sign where the number has its country's code.
fn phone(value: &[u8]) -> Vec<u8> {
    let signs = signs(value);
    match (signs.strip_prefix(b"+"), signs.strip_prefix(b"00")) {
        (None, Some(rest)) => [b"+", rest].concat(),
        _ => signs,
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
