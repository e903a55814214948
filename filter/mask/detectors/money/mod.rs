//! Money: cards and accounts.

mod bitcoin;
mod credit_card;
mod ethereum;
mod iban;

use super::detect::Detect;

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    Some(match name {
        "credit_card" => (Box::new(credit_card::CreditCard), "CREDIT_CARD"),
        "iban" => (Box::new(iban::Iban), "IBAN"),
        "crypto.bitcoin" => (Box::new(bitcoin::Bitcoin), "BITCOIN"),
        "crypto.ethereum" => (Box::new(ethereum::Ethereum), "ETHEREUM"),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) const EXAMPLES: &[super::tests::Table] = &[
    credit_card::EXAMPLES,
    iban::EXAMPLES,
    bitcoin::EXAMPLES,
    ethereum::EXAMPLES,
];
