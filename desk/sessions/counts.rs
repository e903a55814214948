//! What the recorder counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the recorder has seen since the desk was started.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) stored: AtomicU64,
    pub(super) known: AtomicU64,
    pub(super) malformed: AtomicU64,
    pub(super) absent: AtomicU64,
}

impl Counts {
    /// The counts as JSON: `stored`; `known`, which came again; `malformed`; and `absent`, log
    /// entries without a session record.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "stored": self.stored.load(Ordering::Relaxed),
            "known": self.known.load(Ordering::Relaxed),
            "malformed": self.malformed.load(Ordering::Relaxed),
            "absent": self.absent.load(Ordering::Relaxed),
        })
    }
}
