//! People: how to reach them, and what says who they are.

mod coordinates;
mod date_of_birth;
mod email;
mod passport;
mod phone;

use super::detect::Detect;

pub(super) use phone::announces_phone;

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    Some(match name {
        "email" => (Box::new(email::Email), "EMAIL"),
        "phone" => (Box::new(phone::Phone), "PHONE"),
        "date_of_birth" => (Box::new(date_of_birth::DateOfBirth), "DATE_OF_BIRTH"),
        "passport" => (Box::new(passport::Passport), "PASSPORT"),
        "coordinates" => (Box::new(coordinates::Coordinates), "COORDINATES"),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) const EXAMPLES: &[super::tests::Table] = &[
    email::EXAMPLES,
    phone::EXAMPLES,
    date_of_birth::EXAMPLES,
    passport::EXAMPLES,
    coordinates::EXAMPLES,
];
