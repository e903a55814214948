//! How much of bodies is held, as the host is told.
//!
//! All workers change one gauge, so each tells it differences.

use core::time::Duration;
use std::rc::Rc;

use crate::exchange::CompiledPolicy;

/// The time between two looks while something is held.
pub(super) const PERIOD: Duration = Duration::from_secs(1);

/// What has been told.
#[derive(Debug)]
pub(super) struct Buffered {
    compiled: Rc<CompiledPolicy>,
    /// In bytes.
    told: i64,
    /// Whether a look is due.
    due: bool,
}

impl Buffered {
    pub(super) fn new(compiled: Rc<CompiledPolicy>) -> Self {
        Self {
            compiled,
            told: 0,
            due: false,
        }
    }

    /// Whether something is held and no look is scheduled.
    pub(super) fn is_unwatched(&self) -> bool {
        !self.due && self.compiled.buffered_bytes() > 0
    }

    /// Schedules a look within [`PERIOD`].
    pub(super) fn watch(&mut self) {
        self.due = true;
    }

    /// The time until the next look.
    pub(super) fn pause(&self) -> Option<Duration> {
        self.due.then_some(PERIOD)
    }

    /// Looks, and gives what has changed since the last time.
    pub(super) fn look(&mut self) -> Option<i64> {
        let held = self.compiled.buffered_bytes();
        self.due = held > 0;
        self.tell(held)
    }

    /// Takes back all that was told.
    pub(super) fn end(&mut self) -> Option<i64> {
        self.due = false;
        self.tell(0)
    }

    fn tell(&mut self, held: u64) -> Option<i64> {
        let held = i64::try_from(held).unwrap_or(i64::MAX);
        let change = held.saturating_sub(self.told);
        self.told = held;
        (change != 0).then_some(change)
    }
}
