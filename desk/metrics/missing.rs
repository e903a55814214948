//! How many records are missing. To count them takes a look at all, so it is done beside the scrapes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::text::{Text, Type};
use crate::ledger::Reader;
use crate::sessions::{Lacking, lacking};

/// How long who scrapes waits for a look. If it takes longer, the last one's numbers are told.
const PATIENCE: Duration = Duration::from_secs(1);

/// A look is followed by a pause that is so many times as long: it takes two percent of one processor at most.
const PAUSE: u32 = 49;

/// What was found. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Looks(Arc<Mutex<Looked>>);

#[derive(Debug, Default)]
struct Looked {
    found: Option<Lacking>,
    /// When the next look may begin.
    next: Option<Instant>,
    /// Whether one is under way.
    begun: bool,
}

impl Looks {
    /// Looks, if it is time, and tells what was found last.
    pub(super) async fn look(&self, ledger: &Reader) -> Option<Lacking> {
        if self.begins() {
            let (looks, ledger) = (self.clone(), ledger.clone());
            let look = tokio::task::spawn_blocking(move || {
                let begun = Instant::now();
                let found = lacking(ledger.folder());
                looks.ends(found.ok(), begun.elapsed());
            });
            // It goes on if it isn't waited for.
            let _ = tokio::time::timeout(PATIENCE, look).await;
        }
        self.looked(|looked| looked.found)
    }

    fn begins(&self) -> bool {
        self.looked(|looked| {
            let due = looked.next.is_none_or(|next| next <= Instant::now());
            let begins = due && !looked.begun;
            looked.begun |= begins;
            begins
        })
    }

    fn ends(&self, found: Option<Lacking>, took: Duration) {
        self.looked(|looked| {
            looked.found = found;
            looked.next = Some(Instant::now() + took.saturating_mul(PAUSE));
            looked.begun = false;
        });
    }

    fn looked<T>(&self, of: impl FnOnce(&mut Looked) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes it. What can't be read is left out, and `/healthz` knows of it.
pub(super) fn write(text: &mut Text, found: Option<Lacking>) {
    let Some(found) = found else {
        return;
    };
    text.one(
        "portcullis_desk_records_kept",
        Type::Gauge,
        "Session records that are there.",
        found.kept,
    );
    text.one(
        "portcullis_desk_records_missing",
        Type::Gauge,
        "Numbers of no record, below the highest of their workers: portcullis sessions gaps says which.",
        found.records,
    );
    text.one(
        "portcullis_desk_workers_with_gaps",
        Type::Gauge,
        "Workers of which records are missing.",
        found.workers,
    );
}
