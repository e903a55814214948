//! What may happen often, and is logged seldom.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The least time between two lines of the log about the same thing.
const PAUSE: Duration = Duration::from_secs(10);

/// Says when it is time to log something again.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    since: u64,
}

impl Seldom {
    /// Nothing has been logged yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Told {
            last: None,
            since: 0,
        }))
    }

    /// Counts one more time. `Some` if it is to be logged now, with how often it has happened since the last time
    /// that it was.
    pub(crate) fn again(&self) -> Option<u64> {
        self.again_at(Instant::now())
    }

    fn again_at(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().ok()?;
        told.since = told.since.saturating_add(1);
        let quiet = |last| now.saturating_duration_since(last) >= PAUSE;
        if !told.last.is_none_or(quiet) {
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_told_once_in_a_while_with_its_count() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.again_at(start), Some(1));
        assert_eq!(seldom.again_at(start), None);
        assert_eq!(seldom.again_at(start + PAUSE / 2), None);
        assert_eq!(seldom.again_at(start + PAUSE), Some(3));
        assert_eq!(seldom.again_at(start + PAUSE), None);
    }
}
