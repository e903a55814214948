//! The host's clock, which may be put back.
//!
//! All times that the keeper waits for are of this clock. If it is put back by an hour, what was to come in a
//! second would come in an hour and a second: so all of them move with it. Whatever counts by the clock itself,
//! such as the end of a token, stays.

use core::time::Duration;

/// What is less is no matter, and comes of reading the time here and there.
const TOLERANCE: Duration = Duration::from_millis(500);

/// The latest time that was seen, since 1970.
#[derive(Debug, Default)]
pub(super) struct Clock(Duration);

impl Clock {
    /// By how much the clock has been put back since it was read last, if it has; the time that passed between
    /// is not known, and counts as none. At time zero the host can't tell the time.
    pub(super) fn read(&mut self, now: Duration) -> Option<Duration> {
        let by = self.0.saturating_sub(now);
        if now.is_zero() || by <= TOLERANCE {
            self.0 = self.0.max(now);
            return None;
        }
        self.0 = now;
        Some(by)
    }
}
