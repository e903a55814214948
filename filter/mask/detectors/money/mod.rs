//! Money: cards and accounts.

mod credit_card;
mod iban;

use super::Detect;

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    Some(match name {
        "credit_card" => (Box::new(credit_card::CreditCard), "CREDIT_CARD"),
        "iban" => (Box::new(iban::Iban), "IBAN"),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) const EXAMPLES: &[super::tests::Table] = &[credit_card::EXAMPLES, iban::EXAMPLES];
