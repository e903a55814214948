//! What the recorder counts, and whether it can do its work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::books::Outcome;
use crate::store::now;

/// How long storing may take before the writer is behind, in milliseconds. Envoy's buffers last for
/// some seconds.
const LATE: i64 = 5000;

/// What the recorder has seen since the desk was started, and what keeps it from storing.
#[derive(Debug, Default)]
pub struct Counts {
    stored: AtomicU64,
    known: AtomicU64,
    contradicting: AtomicU64,
    foreign: AtomicU64,
    pub(super) malformed: AtomicU64,
    pub(super) absent: AtomicU64,
    refused: AtomicU64,
    /// Since when records are being stored, in milliseconds since 1970; 0 if none are.
    busy: AtomicI64,
    storing: Mutex<Option<String>>,
    signing: Mutex<Option<String>>,
}

impl Counts {
    /// The counts as JSON: `stored`; `known`, which came again; `contradicting`, which have the id
    /// or the number of another record; `foreign`, whose worker is another peer's; `malformed`; `absent`, log entries without a session
    /// record; and `refused`, streams whose sender has no key, or too many of them.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "stored": self.stored.load(Ordering::Relaxed),
            "known": self.known.load(Ordering::Relaxed),
            "contradicting": self.contradicting.load(Ordering::Relaxed),
            "foreign": self.foreign.load(Ordering::Relaxed),
            "malformed": self.malformed.load(Ordering::Relaxed),
            "absent": self.absent.load(Ordering::Relaxed),
            "refused": self.refused.load(Ordering::Relaxed),
        })
    }

    /// What became of records, by name: as in [`Counts::to_json`].
    #[must_use]
    pub fn records(&self) -> [(&'static str, u64); 6] {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("stored", get(&self.stored)),
            ("known", get(&self.known)),
            ("contradicting", get(&self.contradicting)),
            ("foreign", get(&self.foreign)),
            ("malformed", get(&self.malformed)),
            ("absent", get(&self.absent)),
        ]
    }

    /// How many streams were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// What keeps records from being stored or signed for, if something does.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble_at(now())
    }

    fn trouble_at(&self, now: i64) -> Option<String> {
        let said = |place: &Mutex<Option<String>>| place.lock().map_or(None, |said| said.clone());
        let since = self.busy.load(Ordering::Relaxed);
        let late = || {
            let waiting = now.saturating_sub(since);
            (since > 0 && waiting > LATE)
                .then(|| format!("the disk is too slow: records wait for {waiting} ms"))
        };
        said(&self.storing)
            .or_else(|| said(&self.signing))
            .or_else(late)
    }

    /// Says that storing fails, for a reason, or no longer does.
    pub fn storing_fails(&self, reason: Option<String>) {
        if let Ok(mut place) = self.storing.lock() {
            *place = reason;
        }
    }

    pub(super) fn signing_fails(&self, reason: Option<String>) {
        if let Ok(mut place) = self.signing.lock() {
            *place = reason;
        }
    }

    /// Counts a stream that is refused. The log says it less and less often: Envoy tries again at once.
    pub(super) fn refuse(&self, why: &str) {
        let count = self
            .refused
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        if count.is_power_of_two() {
            tracing::warn!(count, why, "an access log stream was refused");
        }
    }

    pub(super) fn begins(&self) {
        self.busy.store(now(), Ordering::Relaxed);
    }

    pub(super) fn ends(&self) {
        self.busy.store(0, Ordering::Relaxed);
    }

    pub(super) fn add(&self, outcome: &Outcome) {
        let add = |counter: &AtomicU64, by: usize| {
            counter.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        add(&self.known, outcome.known);
        add(&self.contradicting, outcome.contradicting.len());
        add(&self.foreign, outcome.foreign.len());
        add(&self.stored, outcome.new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_what_fails_or_takes_too_long() {
        let counts = Counts::default();
        assert_eq!(counts.trouble(), None);
        counts.begins();
        let begun = counts.busy.load(Ordering::Relaxed);
        assert_eq!(counts.trouble_at(begun + LATE), None);
        let late = counts.trouble_at(begun + LATE + 1).unwrap();
        assert!(late.contains("5001 ms"), "{late}");
        counts.ends();
        assert_eq!(counts.trouble_at(begun + 2 * LATE), None);
        counts.signing_fails(Some("the witness".to_owned()));
        assert_eq!(counts.trouble().as_deref(), Some("the witness"));
        counts.storing_fails(Some("the disk".to_owned()));
        assert_eq!(counts.trouble().as_deref(), Some("the disk"));
        counts.storing_fails(None);
        counts.signing_fails(None);
        assert_eq!(counts.trouble(), None);
    }
}
