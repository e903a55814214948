//! A connection for async code.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Mutex;

use super::error::StoreError;

/// A connection that async code shares: one piece of work at a time, on a blocking thread.
#[derive(Clone)]
pub struct Database {
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    /// Shares `connection`.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self {
            connection: Arc::new(Mutex::new(connection)),
        }
    }

    /// Runs `work` on the connection. Once it has begun it ends, even when nobody waits for it
    /// any more.
    ///
    /// # Errors
    /// When SQLite fails, or the desk is stopping.
    pub async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        tokio::task::spawn_blocking(move || work(&mut connection))
            .await
            .map_err(|_| StoreError::Interrupted)?
            .map_err(StoreError::Sqlite)
    }
}
