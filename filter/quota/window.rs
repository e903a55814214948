//! Fixed windows.

use core::time::Duration;

/// A window and a time in it, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    now: u64,
    /// When it ends.
    pub(super) end: u64,
}

impl Window {
    /// The window of length `per` that `now` (since 1970) lies in.
    pub(super) fn of(per: Duration, now: Duration) -> Self {
        let now = milliseconds(now);
        let per = milliseconds(per).max(1);
        let start = now - now % per;
        Self {
            now,
            end: start.saturating_add(per),
        }
    }

    /// Seconds until it ends, at least 1.
    pub(super) fn retry_after(&self) -> u64 {
        self.end.saturating_sub(self.now).div_ceil(1000).max(1)
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
