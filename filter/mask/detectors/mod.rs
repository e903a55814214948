//! The detectors, which say what in a text is a match. Each has its own file.
//!
//! | folder | detectors |
//! |---|---|
//! | person/ | e-mail addresses, phone numbers, dates of birth, passports, coordinates |
//! | money/ | cards, accounts, wallets |
//! | national/ | numbers that states give to people |
//! | network/ | addresses of machines |
//! | secret/ | keys, tokens, passwords |
//!
//! pattern/, words/ and canary.rs are the policy's own detectors, which custom.rs compiles;
//! own_secret.rs looks for what the guard itself must not tell.
//! noise.rs tells what is no text. detect.rs is the contract of a detector; group.rs asks many of them at once; context_words.rs
//! reads the words in front of a match.

pub(super) mod custom;
pub(super) mod detect;
pub(super) mod group;

mod canary;
mod context_words;
mod error;
mod money;
mod national;
mod network;
pub(super) mod noise;
mod own_secret;
mod pattern;
mod person;
mod placeholder;
mod priority;
mod secret;
mod words;

#[cfg(test)]
pub(super) mod tests;

use detect::Detect;
pub use error::DetectorError;
pub(super) use own_secret::OwnSecrets;
pub(super) use pattern::Part;
pub(super) use placeholder::Placeholder;
pub use priority::BUILT_IN_DETECTORS;

/// The detector of a name in [`BUILT_IN_DETECTORS`] and
/// its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    let families = [
        secret::built_in,
        person::built_in,
        money::built_in,
        national::built_in,
        network::built_in,
    ];
    families.iter().find_map(|family| family(name))
}
