//! How often reviewers decided, and filters claimed, for operators.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sessions::What;

/// So many denials within [`DENIALS_FOR`] are one after the other.
const REPEATED: usize = 3;
const DENIALS_FOR: Duration = Duration::from_secs(3600);

/// Denials that are remembered; of more, the last.
const MAX_DENIALS: usize = 10_000;

/// What happened since the desk was started.
#[derive(Debug, Default)]
pub struct Decided {
    approved: AtomicU64,
    denied: AtomicU64,
    revoked: AtomicU64,
    glass_broken: AtomicU64,
    claimed: AtomicU64,
    given_back: AtomicU64,
    denials: Mutex<VecDeque<(Instant, String)>>,
}

impl Decided {
    /// Counts an event. Of several approvals that one takes, each counts.
    pub(super) fn add(&self, what: &What) {
        let count = match what {
            What::Decision(decision) if decision.state == "denied" => {
                let concerned = &decision.concerned;
                self.remember(&concerned.issuer, &concerned.subject, Instant::now());
                &self.denied
            }
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

    fn remember(&self, issuer: &str, subject: &str, now: Instant) {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        while denials.len() >= MAX_DENIALS {
            denials.pop_front();
        }
        denials.push_back((now, format!("{issuer}\n{subject}")));
    }

    /// Of how many subjects reviewers denied at least three approvals within the last hour, at this desk.
    #[must_use]
    pub fn denied_repeatedly(&self, now: Instant) -> u64 {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((then, _)) = denials.front()
            && now.duration_since(*then) > DENIALS_FOR
        {
            denials.pop_front();
        }
        let mut subjects: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, subject) in &*denials {
            *subjects.entry(subject).or_default() += 1;
        }
        let repeatedly = subjects.into_values().filter(|count| *count >= REPEATED);
        u64::try_from(repeatedly.count()).unwrap_or(u64::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_denials_within_an_hour_are_one_after_the_other() {
        let decided = Decided::default();
        let start = Instant::now();
        let minute = Duration::from_secs(60);
        decided.remember("https://idp", "jane", start);
        decided.remember("https://idp", "jane", start + minute);
        decided.remember("https://other", "jane", start + minute);
        decided.remember("https://idp", "ana", start + minute);
        assert_eq!(decided.denied_repeatedly(start + minute), 0);
        decided.remember("https://idp", "jane", start + 59 * minute);
        assert_eq!(decided.denied_repeatedly(start + 59 * minute), 1);
        assert_eq!(decided.denied_repeatedly(start + 61 * minute), 0);
    }

    #[test]
    fn a_flood_of_denials_is_bounded() {
        let decided = Decided::default();
        for _ in 0..MAX_DENIALS + 5 {
            decided.remember("https://idp", "jane", Instant::now());
        }
        assert_eq!(decided.denials.lock().unwrap().len(), MAX_DENIALS);
    }
}
