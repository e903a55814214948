//! Session records in the store.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::record::Entry;

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this subject only.
    pub subject: Option<String>,
    /// With this action only.
    pub action: Option<String>,
    /// That came before the record with this id.
    pub before: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// At most so many bytes of records, but one at least.
    pub bytes: usize,
}

/// Stores records in one transaction and says how many of them are new. Which record came first
/// under an id stays: two access loggers may send the same one.
///
/// # Errors
/// SQLite's; then nothing is stored.
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
/// SQLite's.
pub fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT record FROM sessions WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// Records, the last to come first, each as it came; and the id of the last one listed if there
/// are more.
///
/// # Errors
/// SQLite's.
pub fn list(
    connection: &Connection,
    filter: &Filter,
) -> rusqlite::Result<(Vec<String>, Option<String>)> {
    let mut sql = "SELECT id, record FROM sessions WHERE
        (?3 IS NULL OR seq < (SELECT seq FROM sessions WHERE id = ?3))"
        .to_owned();
    // A condition that isn't there leaves the others their index; its parameter stays.
    sql.push_str(match filter.subject {
        Some(_) => " AND subject = ?1",
        None => " AND ?1 IS NULL",
    });
    sql.push_str(match filter.action {
        Some(_) => " AND action = ?2",
        None => " AND ?2 IS NULL",
    });
    sql.push_str(" ORDER BY seq DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![filter.subject, filter.action, filter.before])?;
    let mut records = Vec::new();
    let mut last = None;
    let mut bytes = 0usize;
    while let Some(row) = rows.next()? {
        let record: String = row.get(1)?;
        bytes = bytes.saturating_add(record.len());
        if records.len() >= filter.limit || (bytes > filter.bytes && !records.is_empty()) {
            return Ok((records, last));
        }
        last = Some(row.get(0)?);
        records.push(record);
    }
    Ok((records, None))
}
