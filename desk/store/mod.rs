//! The one SQLite file that everything is kept in.

mod schema;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use tokio::sync::Mutex;

/// How long a connection waits for another one's write to end.
const BUSY: Duration = Duration::from_secs(10);

/// Why the store can't do what was asked.
#[derive(Debug)]
pub enum StoreError {
    /// The file can't be opened or made.
    Open(PathBuf, String),
    /// SQLite's own reason.
    Sqlite(rusqlite::Error),
    /// The work was cut off because the desk is stopping.
    Interrupted,
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(path, reason) => {
                write!(
                    formatter,
                    "the store {} can't be used: {reason}",
                    path.display()
                )
            }
            Self::Sqlite(error) => write!(formatter, "SQLite: {error}"),
            Self::Interrupted => formatter.write_str("the desk is stopping"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// How much a crash of the machine may take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was answered: an approval that was handed out stays used.
    Every,
    /// The last moments.
    Most,
}

/// Opens a connection; makes the file, or brings it to this version's form, first.
///
/// # Errors
/// What can't be opened, is not SQLite, or was written by a later version.
pub fn open(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let failed = |reason: String| StoreError::Open(path.to_owned(), reason);
    make_private(path).map_err(|error| failed(error.to_string()))?;
    let mut connection = Connection::open(path).map_err(|error| failed(error.to_string()))?;
    let prepare = |connection: &mut Connection| -> rusqlite::Result<Result<(), String>> {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        let synchronous = match durability {
            Durability::Every => "FULL",
            Durability::Most => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        schema::migrate(connection)
    };
    prepare(&mut connection)
        .map_err(|error| failed(error.to_string()))?
        .map_err(failed)?;
    Ok(connection)
}

/// Makes the file readable for its owner only; what is there already keeps its permissions.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

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
    /// SQLite's, or that the desk is stopping.
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

/// Now, in milliseconds since 1970.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
