//! What the ledger has, and the index doesn't yet.

use std::collections::{HashMap, HashSet};

use super::index::{EventRow, Presence, Row};
use super::record::Entry as Record;

/// What is stored, and that the index lacks.
#[derive(Default)]
pub(super) struct Missing {
    /// Of records.
    pub rows: Vec<Row>,
    /// Of events.
    pub events: Vec<EventRow>,
    /// By id: the worker and the number.
    ids: HashMap<String, (String, i64)>,
    numbers: HashSet<(String, i64)>,
}

impl Missing {
    /// By id, as the index has them.
    pub fn sort(&mut self) {
        let by_id = |one: &Row, other: &Row| one.record.id.cmp(&other.record.id);
        self.rows.sort_unstable_by(by_id);
    }

    /// Whether a record is among them.
    pub fn presence(&self, record: &Record) -> Presence {
        let number = (record.worker.clone(), record.number);
        match self.ids.get(&record.id) {
            Some(known) if *known == number => Presence::Known,
            Some(_) => Presence::Contradicting,
            None if self.numbers.contains(&number) => Presence::Contradicting,
            None => Presence::New,
        }
    }

    /// Adds one.
    pub fn add(&mut self, row: Row) {
        let number = (row.record.worker.clone(), row.record.number);
        self.ids.insert(row.record.id.clone(), number.clone());
        self.numbers.insert(number);
        self.rows.push(row);
    }
}
