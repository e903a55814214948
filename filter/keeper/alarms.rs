//! When exchanges want to be woken.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// How many ring in one tick: a host performs so many effects of one event and no more.
const MOST_AT_ONCE: usize = 1024;

/// One alarm for each exchange: the earliest that it asked for.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_time: BTreeSet<(Duration, u32)>,
    by_exchange: BTreeMap<u32, Duration>,
}

impl Alarms {
    /// Wakes an exchange at this time, or at an earlier one that it asked for before.
    pub(super) fn set(&mut self, exchange: u32, at: Duration) {
        match self.by_exchange.get(&exchange) {
            Some(before) if *before <= at => return,
            Some(before) => {
                self.by_time.remove(&(*before, exchange));
            }
            None => {}
        }
        self.by_exchange.insert(exchange, at);
        self.by_time.insert((at, exchange));
    }

    pub(super) fn remove(&mut self, exchange: u32) {
        if let Some(at) = self.by_exchange.remove(&exchange) {
            self.by_time.remove(&(at, exchange));
        }
    }

    /// The clock was put back by so much: all ring after as long a time as before.
    pub(super) fn put_back(&mut self, by: Duration) {
        for at in self.by_exchange.values_mut() {
            *at = at.saturating_sub(by);
        }
        let all = self.by_exchange.iter();
        self.by_time = all.map(|(exchange, at)| (*at, *exchange)).collect();
    }

    /// The earliest of all.
    pub(super) fn next(&self) -> Option<Duration> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out the exchanges whose time has come, the earliest first; those that are too many for one tick
    /// come with the next.
    pub(super) fn ring(&mut self, now: Duration) -> Vec<u32> {
        let mut due = Vec::new();
        while let Some((at, exchange)) = self.by_time.first().copied()
            && at <= now
            && due.len() < MOST_AT_ONCE
        {
            self.remove(exchange);
            due.push(exchange);
        }
        due
    }
}
