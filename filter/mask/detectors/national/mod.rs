//! Numbers that states give to people.

mod us_ssn;

use super::Detect;

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    Some(match name {
        "us_ssn" => (Box::new(us_ssn::UsSsn), "US_SSN"),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) const EXAMPLES: &[super::tests::Table] = &[us_ssn::EXAMPLES];
