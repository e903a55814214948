//! How often reviewers decided, for operators.

use std::sync::atomic::{AtomicU64, Ordering};

/// Decisions since the desk was started.
#[derive(Debug, Default)]
pub struct Decided {
    approved: AtomicU64,
    denied: AtomicU64,
}

impl Decided {
    pub(super) fn add(&self, approved: bool) {
        let count = match approved {
            true => &self.approved,
            false => &self.denied,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// How often, by decision.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 2] {
        [
            ("approved", self.approved.load(Ordering::Relaxed)),
            ("denied", self.denied.load(Ordering::Relaxed)),
        ]
    }
}
