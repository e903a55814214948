//! People: how to reach them, and what says who they are.

mod email;
mod phone;

use super::Detect;

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    Some(match name {
        "email" => (Box::new(email::Email), "EMAIL"),
        "phone" => (Box::new(phone::Phone), "PHONE"),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) const EXAMPLES: &[super::tests::Table] = &[email::EXAMPLES, phone::EXAMPLES];
