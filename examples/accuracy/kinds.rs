//! Which labels a detector answers to.

/// A kind of label, and the detector that looks for it.
#[derive(Debug)]
pub struct Kind {
    pub entity: &'static str,
    pub detector: &'static str,
    /// Whether a labelled text counts.
    pub counts: fn(&str) -> bool,
}

pub const KINDS: &[Kind] = &[
    kind("EMAIL_ADDRESS", "email", |_| true),
    kind("IBAN_CODE", "iban", |_| true),
    kind("US_SSN", "us_ssn", |_| true),
    kind("IP_ADDRESS", "ip", |_| true),
    // Numbers made up without a check digit are no card numbers.
    kind("CREDIT_CARD", "credit_card", passes_luhn),
    kind("PHONE_NUMBER", "phone", |_| true),
];

const fn kind(entity: &'static str, detector: &'static str, counts: fn(&str) -> bool) -> Kind {
    Kind {
        entity,
        detector,
        counts,
    }
}

fn passes_luhn(text: &str) -> bool {
    let digits = text.bytes().rev().filter(u8::is_ascii_digit);
    let sum: u32 = digits
        .map(|digit| u32::from(digit - b'0'))
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => digit,
            _ if digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
