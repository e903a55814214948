//! Key ids that a provider was asked for and does not have.

use std::collections::BTreeMap;

/// How long a provider is believed not to have a key, in milliseconds.
const BELIEVED: u64 = 10_000;

/// The most ids that are remembered.
const MAX_IDS: usize = 512;

/// Ids that were asked for in vain, so that a client with an old token waits once.
///
/// Callers choose them, and could make the keys of a hash map collide: on wasm32 the standard
/// library's hashes have a fixed key.
#[derive(Debug, Default)]
pub(super) struct UnknownIds(BTreeMap<String, u64>);

impl UnknownIds {
    pub(super) fn has(&self, id: &str, now: u64) -> bool {
        self.0
            .get(id)
            .is_some_and(|since| now.saturating_sub(*since) < BELIEVED)
    }

    pub(super) fn add(&mut self, id: &str, now: u64) {
        if self.0.len() >= MAX_IDS {
            self.0
                .retain(|_, since| now.saturating_sub(*since) < BELIEVED);
        }
        // A long id is nobody's; to keep it would be a gift to whoever made it up.
        if self.0.len() < MAX_IDS && id.len() <= 256 {
            self.0.insert(id.to_owned(), now);
        }
    }
}
