//! What a record says of a quota that was charged.

use serde::Deserialize;

/// What was taken from a quota. Members that an older filter doesn't say are missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Charged {
    /// The quota's name.
    pub quota: String,
    /// How much there may be.
    #[serde(default)]
    pub limit: u64,
    /// How much was left.
    #[serde(default)]
    pub remaining: u64,
    /// What was counted apart; `None` where that was too long.
    #[serde(default)]
    pub key: Option<Vec<String>>,
    /// When so much was left, in milliseconds since the request came.
    #[serde(default)]
    pub at: u64,
    /// When all of it would be there again, likewise; `None` for what is in flight.
    #[serde(default)]
    pub until: Option<u64>,
}

/// The longest name of a quota, and the longest key, in bytes: more than filters write.
const MAX_BYTES: usize = 1024;

impl Charged {
    /// What the count is known by, if it can be told.
    pub(super) fn count(&self) -> Option<(&str, &[String])> {
        let key = self.key.as_ref()?;
        let bytes = key.iter().map(String::len).sum::<usize>();
        let fits = bytes.max(key.len()) <= MAX_BYTES && self.quota.len() <= MAX_BYTES;
        fits.then_some((&*self.quota, &**key))
    }
}
