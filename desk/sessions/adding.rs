//! Adding to the index while the next records are stored.
//!
//! A row takes SQLite about as long as everything else that is done with a record. Events, and whose the
//! workers are, change seldom, and are not added here.

use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::index;
use super::missing::Missing;
use super::standing::Standing;

/// Rows that a thread adds to the index.
pub(super) struct Adding {
    missing: Arc<Missing>,
    /// The number behind that of the last entry that they are of.
    next: u64,
    /// `None` once it has failed.
    thread: Option<JoinHandle<rusqlite::Result<Connection>>>,
}

impl Adding {
    /// Begins; without a thread, the work is left to [`Adding::finish`].
    pub fn start(mut connection: Connection, mut missing: Missing, next: u64) -> Self {
        missing.sort();
        let missing = Arc::new(missing);
        let rows = Arc::clone(&missing);
        let thread = std::thread::Builder::new().name("index".to_owned());
        let thread = thread.spawn(move || {
            index::add(
                &mut connection,
                &rows.rows,
                &[],
                &mut Standing::default(),
                next,
            )?;
            Ok(connection)
        });
        Self {
            missing,
            next,
            thread: thread.ok(),
        }
    }

    /// What is being added.
    pub fn missing(&self) -> &Missing {
        &self.missing
    }

    /// Waits for the end and gives the connection back; or if that was a failure, tries again with this
    /// one.
    ///
    /// # Errors
    /// The index fails; it still lacks the rows.
    pub fn finish(&mut self, own: &mut Connection) -> rusqlite::Result<Option<Connection>> {
        // One that panicked has added nothing.
        let added = self
            .thread
            .take()
            .and_then(|thread| thread.join().ok()?.ok());
        if added.is_none() {
            index::add(
                own,
                &self.missing.rows,
                &[],
                &mut Standing::default(),
                self.next,
            )?;
        }
        Ok(added)
    }
}

impl Drop for Adding {
    fn drop(&mut self) {
        // Nobody may write to the index once the ledger is no longer locked.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
