//! How many exchanges wait for people, how long they did, and what came of it.
//!
//! All workers change one gauge, so each tells it differences.

use core::time::Duration;
use std::collections::BTreeMap;

use super::event::Told;
use crate::approval::{Decision, State, Subject};
use crate::metric::Metric;

/// How many times are kept until the next tick tells them. There are as many only where a thousand wait in
/// one worker for one decision.
const MOST_TIMES: usize = 1024;

/// An exchange that waits.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) question: u64,
    pub(super) about: Subject,
    /// The exchange's own number for the question.
    pub(super) number: u64,
    pub(super) deadline: Duration,
    /// Since when it waits for a person; who only looks for an answer that may be kept doesn't.
    pub(super) since: Option<Duration>,
}

impl Seat {
    pub(super) fn told(&self, decision: Decision) -> Told {
        Told::Decided {
            about: self.about,
            number: self.number,
            decision,
        }
    }
}

/// What has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Waits {
    waiting: i64,
    /// How many wait, as the host knows it.
    told: i64,
    counted: BTreeMap<Metric, u64>,
    /// In milliseconds.
    times: Vec<u64>,
}

impl Waits {
    /// From now on it waits for a person.
    pub(super) fn begin(&mut self, seat: &mut Seat, now: Duration) {
        if seat.since.is_none() {
            seat.since = Some(now);
            self.waiting = self.waiting.saturating_add(1);
            self.count(Metric::ApprovalsAsked);
        }
    }

    /// It waits no more, since this has come of it.
    pub(super) fn decided(&mut self, seat: &Seat, decision: &Decision, now: Duration) {
        let outcome = match decision {
            Decision::Answer(answer) => match answer.state {
                State::Approved => "approved",
                State::Denied => "denied",
                State::Pending | State::Gone => "gone",
            },
            Decision::Nothing => "gone",
            Decision::Late(_) => "late",
            Decision::Trouble(_) => "failed",
        };
        if let Some(since) = self.end(seat, outcome)
            && self.times.len() < MOST_TIMES
        {
            let waited = now.saturating_sub(since).as_millis();
            self.times.push(u64::try_from(waited).unwrap_or(u64::MAX));
        }
    }

    /// It waits no more, since its client has left or its stream was reset.
    pub(super) fn left(&mut self, seat: &Seat) {
        self.end(seat, "left");
    }

    fn end(&mut self, seat: &Seat, outcome: &'static str) -> Option<Duration> {
        let since = seat.since?;
        self.waiting = self.waiting.saturating_sub(1);
        self.count(Metric::ApprovalsDecided { outcome });
        Some(since)
    }

    /// The desk was asked for an answer that may be kept.
    pub(super) fn looked(&mut self, found: bool) {
        let outcome = if found { "hit" } else { "miss" };
        self.count(Metric::KeptLookups { outcome });
    }

    fn count(&mut self, metric: Metric) {
        let count = self.counted.entry(metric).or_default();
        *count = count.saturating_add(1);
    }

    /// Whether there is something to tell.
    pub(super) fn have_news(&self) -> bool {
        !self.counted.is_empty()
    }

    /// What was counted, and how long who was told something had waited.
    pub(super) fn take(&mut self) -> (BTreeMap<Metric, u64>, Vec<u64>) {
        let counted = core::mem::take(&mut self.counted);
        (counted, core::mem::take(&mut self.times))
    }

    /// By how much the gauge changes.
    pub(super) fn change(&mut self) -> Option<i64> {
        self.tell(self.waiting)
    }

    /// Takes back all that the gauge was told.
    pub(super) fn take_back(&mut self) -> Option<i64> {
        self.tell(0)
    }

    fn tell(&mut self, waiting: i64) -> Option<i64> {
        let change = waiting.saturating_sub(self.told);
        self.told = waiting;
        (change != 0).then_some(change)
    }
}
