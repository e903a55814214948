//! How often reviewers decided, and filters claimed, for operators.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::sessions::What;

/// What happened since the desk was started.
#[derive(Debug, Default)]
pub struct Decided {
    approved: AtomicU64,
    denied: AtomicU64,
    revoked: AtomicU64,
    glass_broken: AtomicU64,
    claimed: AtomicU64,
    given_back: AtomicU64,
}

impl Decided {
    /// Counts an event. Of several approvals that one takes, each counts.
    pub(super) fn add(&self, what: &What) {
        let count = match what {
            What::Decision(decision) if decision.state == "denied" => &self.denied,
            What::Decision(_) => &self.approved,
            What::Revocation(_) => &self.revoked,
            What::BreakGlass(_) => &self.glass_broken,
            What::Claim(_) => &self.claimed,
            What::GiveBack(_) => &self.given_back,
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// How often, by decision.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 4] {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("approved", get(&self.approved)),
            ("denied", get(&self.denied)),
            ("revoked", get(&self.revoked)),
            ("glass_broken", get(&self.glass_broken)),
        ]
    }

    /// How often uses were taken, and given back.
    #[must_use]
    pub fn claims(&self) -> [(&'static str, u64); 2] {
        [
            ("taken", self.claimed.load(Ordering::Relaxed)),
            ("given_back", self.given_back.load(Ordering::Relaxed)),
        ]
    }
}
