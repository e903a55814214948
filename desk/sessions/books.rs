//! Session records in the ledger, each exactly once, and the index beside it.

use std::collections::{HashMap, HashSet};
use std::fmt;

use rusqlite::Connection;

use super::adding::Adding;
use super::event::{Event, Outline, What, Who};
use super::index::{self, EventRow, Presence, Row};
use super::missing::Missing;
use super::record::Entry as Record;
use super::standing::{Changes, Sender, Standing};
use crate::ledger::{Entry, Kind, Ledger, LedgerError, Opened, Options};
use crate::store::{StoreError, now};

/// The kind of entry that a session record is, as its JSON came.
pub const RECORD: Kind = Kind(1);

/// The kind of entry that says of an exchange that it went on, and which number its record will have:
/// what stood for the record in Envoy's log. Should the record never come, it is missed.
pub const RUNNING: Kind = Kind(3);

/// How many exchanges that go on are remembered, so that each is said once. One that is forgotten
/// may be said again.
const MAX_RUNNING: usize = 64 << 10;

/// How many rows wait until they are added to the index at once, and twice as many it may lack. Ids are
/// random, so each row of a short transaction writes a page of its own; of a long one, many share a
/// page.
const MAX_MISSING: usize = 32 << 10;

/// The ledger with its index, for writing.
pub struct Books {
    /// What is being added to the index meanwhile. It ends before the ledger is unlocked.
    adding: Option<Adding>,
    /// With what that was done last.
    other: Option<Connection>,
    pub(super) ledger: Ledger,
    pub(super) index: Connection,
    missing: Missing,
    pub(super) standing: Standing,
    /// Up to where the entries were removed whose rows may still be in the index.
    pub(super) forgetting: Option<u64>,
    /// The workers and numbers of exchanges that are said to go on, and whether with their ids: a number that
    /// was given has none yet.
    running: HashSet<(String, i64, bool)>,
    /// [`MAX_MISSING`], or less in tests.
    most: usize,
}

/// What became of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many were stored.
    pub new: usize,
    /// How many were there already.
    pub known: usize,
    /// The places of those that were left out since another record has their id, or their worker's
    /// number.
    pub contradicting: Vec<usize>,
    /// The places of those that were left out since their worker is somebody else's.
    pub foreign: Vec<usize>,
}

/// Why records can't be stored.
#[derive(Debug)]
pub enum BooksError {
    /// The ledger failed.
    Ledger(LedgerError),
    /// The index failed.
    Index(StoreError),
}

impl fmt::Display for BooksError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(error) => error.fmt(formatter),
            Self::Index(error) => write!(formatter, "the index: {error}"),
        }
    }
}

impl std::error::Error for BooksError {}

impl From<LedgerError> for BooksError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<StoreError> for BooksError {
    fn from(error: StoreError) -> Self {
        Self::Index(error)
    }
}

impl From<rusqlite::Error> for BooksError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index(StoreError::Sqlite(error))
    }
}

impl Books {
    /// Opens the ledger, or makes it, and brings the index up to it. Also returns how the ledger
    /// was found, and how many entries the index lacked.
    ///
    /// # Errors
    /// The ledger or the index can't be used.
    pub fn open(options: &Options) -> Result<(Self, Opened, u64), BooksError> {
        let time = u64::try_from(now()).unwrap_or(0);
        let (ledger, opened) = Ledger::open(options, time)?;
        let size = ledger.size();
        let (index, next) = index::open(&options.folder, ledger.key().name(), size)?;
        let mut books = Self {
            ledger,
            index,
            missing: Missing::default(),
            adding: None,
            other: None,
            most: MAX_MISSING,
            standing: Standing::default(),
            forgetting: None,
            running: HashSet::new(),
        };
        if next < size {
            books.rebuild(next)?;
        }
        books.finish_removal()?;
        Ok((books, opened, size.saturating_sub(next)))
    }

    fn rebuild(&mut self, from: u64) -> Result<(), BooksError> {
        let reader = self.ledger.reader();
        let index = &mut self.index;
        let standing = &mut self.standing;
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        reader.each::<BooksError>(from, &mut |seq, place, part| {
            if part.kind == Kind::EVENT {
                if let Some(event) = Event::read(part.bytes) {
                    standing.replay(index, &event, seq)?;
                }
                events.extend(Outline::read(part.bytes).map(|event| EventRow {
                    id: event.id,
                    event: event.event,
                    seq,
                    place,
                }));
            }
            if part.kind == RECORD
                && let Ok(record) = Record::read(part.bytes)
            {
                standing.replay_record(index, &record, seq)?;
                rows.push(Row {
                    length: part.bytes.len(),
                    record: record.without_text(),
                    seq,
                    place,
                });
            }
            if rows.len().max(events.len()) >= MAX_MISSING || standing.is_full() {
                index::add(index, &rows, &events, standing, seq.saturating_add(1))?;
                rows.clear();
                events.clear();
            }
            Ok(())
        })?;
        index::add(index, &rows, &events, standing, self.ledger.size())?;
        Ok(())
    }

    /// Stores records as [`Books::take`] does, of whoever has the ledger's files.
    ///
    /// # Errors
    /// As [`Books::take`] has them.
    pub fn put<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<Outcome, BooksError> {
        let sender = &Sender::Operator;
        self.take(records.into_iter().map(|record| (sender, record)), &[])
    }

    /// Stores those records that are new and that their senders may bring, and these events behind them, all
    /// of them or none, and waits until the disk has them. The index may lack them until [`Books::settle`].
    /// What stands for a record is stored once, and not if the record is there.
    ///
    /// # Errors
    /// They can't be stored.
    pub fn take<'r>(
        &mut self,
        records: impl IntoIterator<Item = (&'r Sender, &'r Record)>,
        events: &[&Event],
    ) -> Result<Outcome, BooksError> {
        let missing = self.missing.rows.len().max(self.missing.events.len());
        if missing >= self.most || self.standing.is_full() {
            let others = !self.missing.events.is_empty() || self.standing.has_changed();
            if others || self.standing.is_full() {
                self.settle()?;
            } else {
                self.hand_over()?;
            }
        }
        let mut outcome = Outcome::default();
        let (mut staged, mut follows) = (Changes::default(), Vec::new());
        let mut new: Vec<&Record> = Vec::new();
        let mut ids = HashMap::new();
        let mut numbers = HashSet::new();
        let mut running: Vec<&Record> = Vec::new();
        // One transaction for all: SQLite locks the file for each.
        let index = self.index.unchecked_transaction()?;
        for (place, (sender, record)) in records.into_iter().enumerate() {
            let number = (record.worker.as_str(), record.number);
            let here = match ids.get(record.id.as_str()) {
                Some(known) if *known == number => Presence::Known,
                Some(_) => Presence::Contradicting,
                None if numbers.contains(&number) => Presence::Contradicting,
                None => match (self.missing.presence(record), &self.adding) {
                    (Presence::New, Some(adding)) => adding.missing().presence(record),
                    (presence, _) => presence,
                },
            };
            let presence = match here {
                Presence::New => index::presence(&index, record)?,
                other => other,
            };
            // An old log brings nothing back that retention removed.
            let is_removed = presence == Presence::New
                && *sender == Sender::Operator
                && self.standing.has_removed(&index, record)?;
            let presence = if is_removed {
                Presence::Known
            } else {
                presence
            };
            // A copy of what is there is welcome from anybody: nothing is stored.
            let admitted = presence == Presence::Known
                || self
                    .standing
                    .admit(&index, record, sender, &mut staged, &mut follows)?;
            if record.open {
                match presence {
                    _ if !admitted => outcome.foreign.push(place),
                    Presence::New => running.push(record),
                    Presence::Known | Presence::Contradicting => {}
                }
                continue;
            }
            match presence {
                _ if !admitted => outcome.foreign.push(place),
                Presence::New => {
                    ids.insert(record.id.as_str(), number);
                    numbers.insert(number);
                    new.push(record);
                    outcome.new = outcome.new.saturating_add(1);
                }
                Presence::Known => outcome.known = outcome.known.saturating_add(1),
                Presence::Contradicting => outcome.contradicting.push(place),
            }
        }
        index.finish()?;
        let time = u64::try_from(now()).unwrap_or(0);
        let follows = made(follows)?;
        let mut entries = Vec::with_capacity(new.len().saturating_add(events.len()));
        for event in &follows {
            entries.push(event.to_entry(time)?);
        }
        entries.extend(new.iter().map(|record| Entry {
            kind: RECORD,
            time,
            bytes: record.text.clone().into_bytes(),
        }));
        for event in events {
            entries.push(event.to_entry(time)?);
        }
        running.retain(|record| {
            let over = numbers.contains(&(record.worker.as_str(), record.number));
            !over && self.begins(record)
        });
        entries.extend(running.iter().map(|record| Entry {
            kind: RUNNING,
            time,
            bytes: record.text.clone().into_bytes(),
        }));
        let first = self.ledger.size();
        let places = self.ledger.append(&entries).inspect_err(|_| {
            // They will be said again when this is tried again.
            for record in &running {
                self.running.remove(&said(record, !record.id.is_empty()));
            }
        })?;
        self.standing.keep(staged, first);
        let mut placed = (first..).zip(places);
        let row = |event: &Event, (seq, place)| EventRow {
            id: event.id.clone(),
            event: event.word().to_owned(),
            seq,
            place,
        };
        let rows = follows.iter().zip(placed.by_ref());
        self.missing
            .events
            .extend(rows.map(|(event, at)| row(event, at)));
        for (record, (seq, place)) in new.into_iter().zip(placed.by_ref()) {
            for with_id in [false, true] {
                self.running.remove(&said(record, with_id));
            }
            // The index needs all but the text.
            let length = record.text.len();
            let record = record.without_text();
            self.missing.add(Row {
                record,
                length,
                seq,
                place,
            });
        }
        let rows = events.iter().zip(placed);
        self.missing
            .events
            .extend(rows.map(|(event, at)| row(event, at)));
        Ok(outcome)
    }

    /// Has what the index lacks added to it by a thread of its own, once what went before is.
    fn hand_over(&mut self) -> Result<(), BooksError> {
        self.land()?;
        let other = match self.other.take() {
            Some(connection) => connection,
            None => index::connect(&index::file(self.ledger.reader().folder()))?,
        };
        let missing = std::mem::take(&mut self.missing);
        self.adding = Some(Adding::start(other, missing, self.ledger.size()));
        Ok(())
    }

    /// Waits until that thread is done. If it failed, this does its work.
    fn land(&mut self) -> Result<(), BooksError> {
        if let Some(adding) = &mut self.adding {
            self.other = adding.finish(&mut self.index)?;
            self.adding = None;
        }
        Ok(())
    }

    /// Says which filters the configuration names: a worker of one that it doesn't name counts as one of
    /// somebody without a key.
    pub fn set_filters(&mut self, filters: HashSet<std::sync::Arc<str>>) {
        self.standing.set_filters(filters);
    }

    /// Whether this exchange was not said to go on before.
    fn begins(&mut self, record: &Record) -> bool {
        if self.running.len() >= MAX_RUNNING {
            self.running.clear();
        }
        self.running.insert(said(record, !record.id.is_empty()))
    }

    /// Adds to the index what it lacks.
    ///
    /// # Errors
    /// The index fails; it still lacks them.
    pub fn settle(&mut self) -> Result<(), BooksError> {
        self.land()?;
        let has_rows = !self.missing.rows.is_empty() || !self.missing.events.is_empty();
        if has_rows || self.standing.has_changed() || self.standing.is_full() {
            self.missing.sort();
            let next = self.ledger.size();
            let (rows, events) = (&self.missing.rows, &self.missing.events);
            index::add(&mut self.index, rows, events, &mut self.standing, next)?;
            self.missing = Missing::default();
        }
        Ok(())
    }

    /// Signs for all that is stored.
    ///
    /// # Errors
    /// The checkpoint can't be written.
    pub fn checkpoint(&mut self) -> Result<bool, LedgerError> {
        self.ledger.checkpoint()
    }

    /// The ledger.
    pub fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

fn made(events: Vec<(Who, What)>) -> Result<Vec<Event>, LedgerError> {
    let events = events.into_iter();
    events.map(|(who, what)| Event::new(who, what)).collect()
}

/// What is remembered of an exchange that is said to go on.
fn said(record: &Record, with_id: bool) -> (String, i64, bool) {
    (record.worker.clone(), record.number, with_id)
}

#[cfg(test)]
mod tests;
