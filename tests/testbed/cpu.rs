//! The processor's time that the calling thread has used.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this thread has used so far: unlike the time of day, it stands still while others run.
#[must_use]
pub fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
