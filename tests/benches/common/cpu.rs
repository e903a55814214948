//! How much of the processors' time a process has used, in nanoseconds.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// What each thread of a process has used so far.
pub struct Used(BTreeMap<u32, u64>);

impl Used {
    /// Reads the kernel's own account: time in user and kernel mode together, the first number
    /// of `/proc/PID/task/TID/schedstat`. It is exact for threads that sleep.
    ///
    /// # Errors
    /// When there is no such process, or its kernel keeps no such account.
    pub fn now(process: u32) -> Result<Self, String> {
        let folder = format!("/proc/{process}/task");
        let threads = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
        let mut used = BTreeMap::new();
        for thread in threads.flatten() {
            let file = thread.path().join("schedstat");
            let Some(id) = thread.file_name().to_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            // A thread may end between the listing and the reading of it.
            let Ok(text) = fs::read_to_string(&file) else {
                continue;
            };
            let time = text
                .split_ascii_whitespace()
                .next()
                .and_then(|time| time.parse().ok())
                .ok_or_else(|| format!("{} says {text:?}", file.display()))?;
            used.insert(id, time);
        }
        match used.is_empty() {
            true => Err(format!("{folder} tells of no thread's time")),
            false => Ok(Self(used)),
        }
    }

    /// What was used since `earlier`.
    ///
    /// # Errors
    /// When a thread has ended since, whose last time is lost.
    pub fn since(&self, earlier: &Self) -> Result<Duration, String> {
        if let Some(lost) = earlier.0.keys().find(|id| !self.0.contains_key(id)) {
            return Err(format!("thread {lost} ended while its time was taken"));
        }
        let nanoseconds = self
            .0
            .iter()
            .map(|(id, time)| time.saturating_sub(earlier.0.get(id).copied().unwrap_or(0)))
            .sum();
        Ok(Duration::from_nanos(nanoseconds))
    }
}
