//! Records that an earlier version kept in the desk's SQLite file go into the ledger.

use rusqlite::{Connection, params};

use super::books::{Books, BooksError};
use super::record::Entry;

/// How many records are moved at once.
const ROWS: i64 = 500;

/// Moves the records of the table `sessions`; returns how many there were. Those that were moved
/// before a crash are not stored twice.
///
/// # Errors
/// They can't be read or stored. Nothing is deleted that the ledger doesn't have.
pub fn adopt(old: &Connection, books: &mut Books) -> Result<usize, BooksError> {
    let mut moved = 0usize;
    loop {
        let mut rows: Vec<(i64, String)> = Vec::new();
        {
            let mut statement =
                old.prepare_cached("SELECT seq, record FROM sessions ORDER BY seq LIMIT ?1")?;
            let found = statement.query_map([ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in found {
                rows.push(row?);
            }
        }
        let Some((last, _)) = rows.last() else {
            books.settle()?;
            return Ok(moved);
        };
        let records = rows
            .iter()
            .filter_map(|(_, text)| Entry::read(text.as_bytes()).ok());
        books.put(&records.collect::<Vec<_>>())?;
        old.execute("DELETE FROM sessions WHERE seq <= ?1", params![last])?;
        moved = moved.saturating_add(rows.len());
    }
}
