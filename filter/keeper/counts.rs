//! Counts that are told to the host together.
//!
//! A host call takes as long as all that the filter does for a plain request. So what is counted
//! waits here for up to a second, whoever counts it, and goes with a tick.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::metric::Metric;

/// How long a count waits at most.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(1);

/// What has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Counts {
    waiting: BTreeMap<Metric, u64>,
    /// When they go, since 1970.
    due: Option<Duration>,
}

impl Counts {
    pub(super) fn add(&mut self, metric: Metric, amount: u64, now: Duration) {
        let count = self.waiting.entry(metric).or_default();
        *count = count.saturating_add(amount);
        self.due.get_or_insert(now.saturating_add(MAX_DELAY));
    }

    /// The clock was put back by so much.
    pub(super) fn put_back(&mut self, by: Duration) {
        self.due = self.due.map(|due| due.saturating_sub(by));
    }

    /// When they go.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Takes them out, if it is time.
    pub(super) fn take(&mut self, now: Duration) -> BTreeMap<Metric, u64> {
        if self.due.is_none_or(|due| due > now) {
            return BTreeMap::new();
        }
        self.take_all()
    }

    /// Takes them out, whether it is time or not.
    pub(super) fn take_all(&mut self) -> BTreeMap<Metric, u64> {
        self.due = None;
        core::mem::take(&mut self.waiting)
    }
}
