//! Lists, newest first, in pages.

use rusqlite::{Connection, Row, params_from_iter};

/// Rows on a page, unless the caller asks for another number.
const ROWS: u32 = 50;

/// The most rows on a page, whatever the caller asks for.
const MAX_ROWS: u32 = 200;

/// The most bytes on a page, unless its first row alone is longer.
const MAX_BYTES: usize = 16 << 20;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    before: Option<String>,
    rows: usize,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The page's rows, newest first.
    pub rows: Vec<T>,
    /// The id of the last row if older ones follow: the `before` of the next page.
    pub next: Option<String>,
}

impl Page {
    /// The newest rows, or those older than the row with the id `before`; `rows` of them at most,
    /// which is brought into 1 to 200 and is 50 if absent.
    #[must_use]
    pub fn new(before: Option<String>, rows: Option<u32>) -> Self {
        let rows = rows.unwrap_or(ROWS).clamp(1, MAX_ROWS);
        Self {
            before,
            rows: usize::try_from(rows).unwrap_or(usize::MAX),
        }
    }

    /// Reads the page from `table`, whose column `seq` grows with every new row.
    ///
    /// `columns` are selected, `id` first. `conditions` are conditions of SQL, each with a place for its
    /// value; one without a value doesn't hold for the list. `read` turns a row into an item and its size in
    /// bytes.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn read<T>(
        &self,
        connection: &Connection,
        table: &str,
        columns: &str,
        conditions: &[(&str, Option<&str>)],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<(T, usize)>,
    ) -> rusqlite::Result<Listed<T>> {
        let mut sql = format!("SELECT {columns} FROM {table} WHERE TRUE");
        let mut values = Vec::new();
        // Only what is asked for becomes a condition, so that SQLite can use an index for it.
        for (condition, value) in conditions {
            if let Some(value) = value {
                sql.push_str(&format!(" AND {condition}"));
                values.push(*value);
            }
        }
        if let Some(before) = &self.before {
            sql.push_str(&format!(
                " AND seq < (SELECT seq FROM {table} WHERE id = ?)"
            ));
            values.push(before);
        }
        sql.push_str(" ORDER BY seq DESC");
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_map(params_from_iter(values), |row| {
            let (item, size) = read(row)?;
            Ok((row.get(0)?, item, size))
        })?;
        self.gather(found)
    }

    /// The row behind which the page begins.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// The most rows on it.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Takes what fits onto the page from rows, newest first: each with its id and its size in bytes.
    ///
    /// # Errors
    /// When a row can't be read.
    pub fn gather<T, E>(
        &self,
        found: impl Iterator<Item = Result<(String, T, usize), E>>,
    ) -> Result<Listed<T>, E> {
        let mut listed = Listed {
            rows: Vec::new(),
            next: None,
        };
        let mut last = None;
        let mut bytes = 0usize;
        for row in found {
            let (id, item, size) = row?;
            bytes = bytes.saturating_add(size);
            let full = bytes > MAX_BYTES && !listed.rows.is_empty();
            if full || listed.rows.len() >= self.rows {
                listed.next = last;
                break;
            }
            last = Some(id);
            listed.rows.push(item);
        }
        Ok(listed)
    }
}
