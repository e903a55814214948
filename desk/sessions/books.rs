//! Session records in the ledger, each exactly once, and the index beside it.

use std::collections::HashSet;
use std::fmt;

use rusqlite::Connection;

use super::index::{self, Presence, Row};
use super::record::Entry as Record;
use crate::ledger::{Entry, Kind, Ledger, LedgerError, Opened, Options};
use crate::store::{StoreError, now};

/// The kind of entry that a session record is, as its JSON came.
pub const RECORD: Kind = Kind(1);

/// How many rows are added to the index at once when it is made anew.
const ROWS: usize = 1000;

/// The ledger with its index, for writing.
pub struct Books {
    ledger: Ledger,
    index: Connection,
    /// Rows of records that are stored, and that the index lacks.
    missing: Vec<Row>,
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many were stored.
    pub new: usize,
    /// How many were there already.
    pub known: usize,
    /// How many were left out since another record has their id, or their worker's number.
    pub contradicting: usize,
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
            missing: Vec::new(),
        };
        if next < size {
            books.rebuild(next)?;
        }
        Ok((books, opened, size.saturating_sub(next)))
    }

    fn rebuild(&mut self, from: u64) -> Result<(), BooksError> {
        let reader = self.ledger.reader();
        let index = &mut self.index;
        let mut rows = Vec::new();
        reader.each::<BooksError>(from, &mut |seq, place, part| {
            if part.kind == RECORD
                && let Ok(record) = Record::read(part.bytes)
            {
                rows.push(Row { record, seq, place });
            }
            if rows.len() >= ROWS {
                index::add(index, &rows, seq.saturating_add(1))?;
                rows.clear();
            }
            Ok(())
        })?;
        index::add(index, &rows, self.ledger.size())?;
        Ok(())
    }

    /// Stores those records that are new, all of them or none, and waits until the disk has them.
    ///
    /// # Errors
    /// They can't be stored. Some may be stored already if only the index failed: then the next
    /// try finds them known.
    pub fn put<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<Outcome, BooksError> {
        // The index must know all that is stored before it can tell what is new.
        self.catch_up()?;
        let mut outcome = Outcome::default();
        let mut new: Vec<&Record> = Vec::new();
        let mut ids = HashSet::new();
        let mut numbers = HashSet::new();
        for record in records {
            let number = (record.worker.as_str(), record.number);
            let presence = match (ids.contains(record.id.as_str()), numbers.contains(&number)) {
                (true, true) => Presence::Known,
                (false, false) => index::presence(&self.index, record)?,
                _ => Presence::Contradicting,
            };
            match presence {
                Presence::New => {
                    ids.insert(record.id.as_str());
                    numbers.insert(number);
                    new.push(record);
                    outcome.new = outcome.new.saturating_add(1);
                }
                Presence::Known => outcome.known = outcome.known.saturating_add(1),
                Presence::Contradicting => {
                    outcome.contradicting = outcome.contradicting.saturating_add(1);
                }
            }
        }
        let time = u64::try_from(now()).unwrap_or(0);
        let entries: Vec<_> = new
            .iter()
            .map(|record| Entry {
                kind: RECORD,
                time,
                bytes: record.text.clone().into_bytes(),
            })
            .collect();
        let first = self.ledger.size();
        let places = self.ledger.append(&entries)?;
        self.missing = (first..)
            .zip(new.into_iter().zip(places))
            .map(|(seq, (record, place))| Row {
                record: record.clone(),
                seq,
                place,
            })
            .collect();
        self.catch_up()?;
        Ok(outcome)
    }

    /// Adds to the index what it lacks.
    fn catch_up(&mut self) -> Result<(), BooksError> {
        if !self.missing.is_empty() {
            index::add(&mut self.index, &self.missing, self.ledger.size())?;
            self.missing.clear();
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
