//! The index of session records: by what they are found, and where they stand in the ledger.
//!
//! Nothing is in it that the ledger doesn't say, so it is made anew when it is missing, damaged,
//! of another form, or of another ledger.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::record::Entry;
use super::standing::{self, Standing};
use crate::ledger::Place;
use crate::store::{Durability, Listed, Page, Store, StoreError};

/// The form of the tables, which is the file's `user_version`.
const FORM: i32 = 3;

/// How much of the file is kept in memory: KiB, which SQLite wants negative.
const CACHE_KIB: i64 = -(32 << 10);

/// How long the write-ahead log becomes before it goes into the file: 64 MiB.
const LOG_PAGES: i64 = 16 << 10;

const TABLES: &str = "
CREATE TABLE sessions (
    seq INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    time TEXT NOT NULL,
    subject TEXT,
    operation TEXT,
    model TEXT,
    rule TEXT,
    action TEXT,
    code TEXT,
    worker TEXT NOT NULL,
    number INTEGER NOT NULL,
    UNIQUE (worker, number)
) STRICT;
CREATE INDEX sessions_subject ON sessions (subject, seq);
CREATE INDEX sessions_action ON sessions (action, seq);
CREATE INDEX sessions_operation ON sessions (operation, seq);
CREATE INDEX sessions_model ON sessions (model, seq);
CREATE INDEX sessions_rule ON sessions (rule, seq);
CREATE INDEX sessions_code ON sessions (code, seq) WHERE code IS NOT NULL;
CREATE INDEX sessions_time ON sessions (time);
CREATE TABLE found (
    detector TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (detector, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX found_seq ON found (seq);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL
) STRICT;
CREATE INDEX events_event ON events (event, seq);
CREATE TABLE ledger (origin TEXT NOT NULL, next INTEGER NOT NULL) STRICT;
";

/// A record's row.
#[derive(Clone, Debug)]
pub struct Row {
    /// The record, whose text is not needed.
    pub record: Entry,
    /// The length of its text in bytes.
    pub length: usize,
    /// Its number in the ledger.
    pub seq: u64,
    /// Where it stands there.
    pub place: Place,
}

/// An event's row.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its id.
    pub id: String,
    /// What it is, in a word.
    pub event: String,
    /// Its number in the ledger.
    pub seq: u64,
    /// Where it stands there.
    pub place: Place,
}

/// Whether a record is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is not.
    New,
    /// One with its id, worker and number is.
    Known,
    /// One is that has its id or its worker's number, and is another one.
    Contradicting,
}

/// Where a record stands, as the index says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its number in the ledger.
    pub seq: u64,
    /// Where it stands there.
    pub place: Place,
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this subject's.
    pub subject: Option<String>,
    /// Only those with this action.
    pub action: Option<String>,
    /// Only those of this operation.
    pub operation: Option<String>,
    /// Only those for this model.
    pub model: Option<String>,
    /// Only those that this rule decided.
    pub rule: Option<String>,
    /// Only those with this code.
    pub code: Option<String>,
    /// Only those in which this detector found something.
    pub detector: Option<String>,
    /// Only requests at this time or later (RFC 3339, as records have it).
    pub since: Option<String>,
    /// Only requests before this time.
    pub until: Option<String>,
}

/// The index's file in a ledger's folder.
#[must_use]
pub fn file(ledger: &Path) -> PathBuf {
    ledger.join("index.sqlite")
}

/// Opens the index for the ledger with this origin and size; returns the number of the first entry
/// that it lacks. One that is of no use is made anew.
///
/// # Errors
/// The file can't be used, nor made.
pub fn open(ledger: &Path, origin: &str, size: u64) -> Result<(Connection, u64), StoreError> {
    let path = file(ledger);
    if let Ok(connection) = connect(&path)
        && let Ok(Some(next)) = state(&connection, origin)
        && next <= size
    {
        return Ok((connection, next));
    }
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        // One that is not there need not go; one that can't go is an error further down.
        let _ = std::fs::remove_file(name);
    }
    let mut connection = connect(&path)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(standing::TABLES)?;
    transaction.pragma_update(None, "user_version", FORM)?;
    transaction.execute("INSERT INTO ledger VALUES (?1, 0)", [origin])?;
    transaction.commit()?;
    Ok((connection, 0))
}

/// A connection to the index, which is there.
///
/// # Errors
/// The file can't be used.
pub fn connect(path: &Path) -> Result<Connection, StoreError> {
    // A crash of the machine may take rows away: the ledger has them.
    let connection = Store::create(path)?.connect_as_is(Durability::Normal)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    Ok(connection)
}

/// The number of the first entry that is not indexed; `None` if the form or the ledger is another.
fn state(connection: &Connection, origin: &str) -> rusqlite::Result<Option<u64>> {
    let form: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if form != FORM {
        return Ok(None);
    }
    let next: Option<i64> = connection
        .query_row(
            "SELECT next FROM ledger WHERE origin = ?1",
            [origin],
            |row| row.get(0),
        )
        .optional()?;
    Ok(next.and_then(|next| u64::try_from(next).ok()))
}

/// Whether a record is there.
///
/// # Errors
/// When SQLite fails.
pub fn presence(connection: &Connection, record: &Entry) -> rusqlite::Result<Presence> {
    let mut statement = connection.prepare_cached(
        "SELECT id = ?1 AND worker = ?2 AND number = ?3 FROM sessions
             WHERE id = ?1 OR (worker = ?2 AND number = ?3)",
    )?;
    let mut rows = statement.query(params![record.id, record.worker, record.number])?;
    let Some(row) = rows.next()? else {
        return Ok(Presence::New);
    };
    Ok(if row.get(0)? {
        Presence::Known
    } else {
        Presence::Contradicting
    })
}

/// Adds rows, and notes that the entries before `next` are indexed.
///
/// # Errors
/// When SQLite fails; then nothing is added.
pub(super) fn add(
    connection: &mut Connection,
    rows: &[Row],
    events: &[EventRow],
    standing: &mut Standing,
    next: u64,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO sessions (seq, segment, offset, length, id, time, subject, operation,
                 model, rule, action, code, worker, number)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT DO NOTHING",
        )?;
        for row in rows {
            let record = &row.record;
            insert.execute(params![
                integer(row.seq),
                integer(row.place.segment),
                integer(row.place.offset),
                i64::try_from(row.length).unwrap_or(i64::MAX),
                record.id,
                record.time,
                record.subject,
                record.operation,
                record.model,
                record.rule,
                record.action,
                record.code,
                record.worker,
                record.number,
            ])?;
        }
        let mut insert = transaction
            .prepare_cached("INSERT INTO found VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
        for row in rows {
            for detector in &row.record.found {
                insert.execute(params![detector, integer(row.seq)])?;
            }
        }
        let mut insert = transaction.prepare_cached(
            "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?;
        for row in events {
            insert.execute(params![
                integer(row.seq),
                integer(row.place.segment),
                integer(row.place.offset),
                row.id,
                row.event,
            ])?;
        }
        standing.write(&transaction)?;
        transaction.execute("UPDATE ledger SET next = ?1", [integer(next)])?;
    }
    transaction.commit()?;
    standing.written();
    Ok(())
}

/// Removes at most `most` rows of each kind for entries before `to`, and says whether there may be more.
///
/// # Errors
/// When SQLite fails.
pub(super) fn forget(connection: &Connection, to: u64, most: u32) -> rusqlite::Result<bool> {
    let mut more = false;
    for table in ["sessions", "events"] {
        let removed = connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE seq IN
                     (SELECT seq FROM {table} WHERE seq < ?1 ORDER BY seq LIMIT ?2)"
            ))?
            .execute(params![integer(to), most])?;
        more |= removed > 0;
    }
    let removed = connection
        .prepare_cached(
            "DELETE FROM found WHERE seq IN
                 (SELECT seq FROM found WHERE seq < ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![integer(to), most])?;
    Ok(more || removed > 0)
}

/// Where the latest event with this word stands.
///
/// # Errors
/// When SQLite fails.
pub(super) fn latest_event(connection: &Connection, event: &str) -> rusqlite::Result<Option<Hit>> {
    connection
        .prepare_cached(
            "SELECT seq, segment, offset FROM events WHERE event = ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([event], |row| hit(row, 0))
        .optional()
}

/// Where the event with this id stands.
///
/// # Errors
/// When SQLite fails.
pub fn find_event(connection: &Connection, id: &str) -> rusqlite::Result<Option<Hit>> {
    connection
        .prepare_cached("SELECT seq, segment, offset FROM events WHERE id = ?1")?
        .query_row([id], |row| hit(row, 0))
        .optional()
}

/// Where the record with this id stands.
///
/// # Errors
/// When SQLite fails.
pub fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Hit>> {
    connection
        .prepare_cached("SELECT seq, segment, offset FROM sessions WHERE id = ?1")?
        .query_row([id], |row| hit(row, 0))
        .optional()
}

/// One page of the records, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    connection: &Connection,
    filter: &Filter,
    page: &Page,
) -> rusqlite::Result<Listed<Hit>> {
    let conditions = [
        ("subject = ?", filter.subject.as_deref()),
        ("action = ?", filter.action.as_deref()),
        ("operation = ?", filter.operation.as_deref()),
        ("model = ?", filter.model.as_deref()),
        ("rule = ?", filter.rule.as_deref()),
        ("code = ?", filter.code.as_deref()),
        (
            "seq IN (SELECT seq FROM found WHERE detector = ?)",
            filter.detector.as_deref(),
        ),
        ("time >= ?", filter.since.as_deref()),
        ("time < ?", filter.until.as_deref()),
    ];
    let columns = "id, seq, segment, offset, length";
    page.read(connection, "sessions", columns, &conditions, |row| {
        let length: i64 = row.get(4)?;
        Ok((hit(row, 1)?, usize::try_from(length).unwrap_or(usize::MAX)))
    })
}

fn hit(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Hit> {
    let number = |index: usize| -> rusqlite::Result<u64> {
        let value: i64 = row.get(first + index)?;
        Ok(u64::try_from(value).unwrap_or(u64::MAX))
    };
    Ok(Hit {
        seq: number(0)?,
        place: Place {
            segment: number(1)?,
            offset: number(2)?,
        },
    })
}

fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
