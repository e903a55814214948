//! What the workers of an Envoy tell each other about one provider's keys.

use serde::{Deserialize, Serialize};

/// How a provider's keys stand. All times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Standing {
    /// Counts the changes of the key set; 0 if there is none yet.
    pub(super) version: u32,
    /// Tells one key set from another.
    pub(super) digest: String,
    /// When the fetch began that the key set was last found in.
    pub(super) asked: u64,
    /// When the last fetch began, whatever became of it.
    pub(super) tried: u64,
    /// When the next fetch is due.
    pub(super) due: u64,
    /// Fetches that failed since the last that did not.
    pub(super) failures: u32,
    /// Until when the leader may take; 0 if nobody leads.
    pub(super) lease: u64,
    /// Who leads.
    pub(super) leader: u64,
}

impl Standing {
    /// What can't be read is taken for nothing, so that the next leader writes it anew.
    pub(super) fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
