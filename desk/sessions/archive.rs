//! Session records in the store.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::record::Entry;
use crate::store::{Listed, Page};

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this subject's.
    pub subject: Option<String>,
    /// Only those with this action.
    pub action: Option<String>,
}

/// Stores records in one transaction and returns how many of them are new. Of several with the
/// same id the first is kept: two access loggers may send the same record.
///
/// # Errors
/// When SQLite fails; then nothing is stored.
pub fn put<'a>(
    connection: &mut Connection,
    entries: impl Iterator<Item = &'a Entry>,
) -> rusqlite::Result<usize> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut new = 0usize;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO sessions
                 (id, time, subject, operation, action, code, worker, number, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
        )?;
        for entry in entries {
            new = new.saturating_add(insert.execute(params![
                entry.id,
                entry.time,
                entry.subject,
                entry.operation,
                entry.action,
                entry.code,
                entry.worker,
                entry.number,
                entry.text
            ])?);
        }
    }
    transaction.commit()?;
    Ok(new)
}

/// The record with this id, as it came.
///
/// # Errors
/// When SQLite fails.
pub fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT record FROM sessions WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// One page of the records, each as it came.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    connection: &Connection,
    filter: &Filter,
    page: &Page,
) -> rusqlite::Result<Listed<String>> {
    let conditions = [
        ("subject", filter.subject.as_deref()),
        ("action", filter.action.as_deref()),
    ];
    page.read(connection, "sessions", "id, record", &conditions, |row| {
        let record: String = row.get(1)?;
        let size = record.len();
        Ok((record, size))
    })
}
