//! How many records are missing, by their numbers.

use std::path::Path;

use super::index;
use crate::store::StoreError;

/// How many of one worker count: it may say any number.
const MOST: i64 = 1_000_000_000;

/// What the index says of the records that are there, and of those that aren't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Records that are there.
    pub kept: u64,
    /// Numbers of no record, below the highest of their workers, and above what was removed.
    pub records: u64,
    /// Workers of which some are missing.
    pub workers: u64,
}

/// Counts by a look at all numbers, which takes about a second for some millions of them.
///
/// # Errors
/// The index of the ledger in this folder can't be read.
pub fn lacking(folder: &Path) -> Result<Lacking, StoreError> {
    let connection = index::connect(&index::file(folder))?;
    // The unique index of workers and numbers has all that this needs. A record without a number has 0.
    let mut statement = connection.prepare(
        "SELECT count(*), max(number), count(*) FILTER (WHERE number > coalesce(removed, 0)),
             coalesce(removed, 0)
         FROM sessions LEFT JOIN workers USING (worker) GROUP BY worker",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Lacking::default();
    while let Some(row) = rows.next()? {
        let [all, highest, above, removed] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        found.add(all, highest, above, removed);
    }
    Ok(found)
}

impl Lacking {
    fn add(&mut self, all: i64, highest: i64, above: i64, removed: i64) {
        let missing = highest.saturating_sub(removed).saturating_sub(above);
        let missing = u64::try_from(missing.min(MOST)).unwrap_or(0);
        let all = u64::try_from(all).unwrap_or(0);
        self.kept = self.kept.saturating_add(all);
        self.records = self.records.saturating_add(missing);
        self.workers = self.workers.saturating_add(u64::from(missing > 0));
    }
}

#[cfg(test)]
mod tests {
    use super::Lacking;

    #[test]
    fn what_is_missing_is_between_what_was_removed_and_the_highest() {
        let mut found = Lacking::default();
        // 1 to 5 but for 3; 8 to 10, of which those up to 7 were removed; one that claims too much.
        found.add(4, 5, 4, 0);
        found.add(3, 10, 3, 7);
        // One of those that should have gone is still there.
        found.add(3, 9, 2, 7);
        let sum = |records, workers, kept| Lacking {
            kept,
            records,
            workers,
        };
        assert_eq!(found, sum(1, 1, 10));
        found.add(1, i64::MAX, 1, 0);
        assert_eq!(found, sum(1_000_000_001, 2, 11));
    }
}
