//! How the store fails.

use std::fmt;
use std::path::PathBuf;

/// Why the store failed.
#[derive(Debug)]
pub enum StoreError {
    /// The file can't be created or opened.
    Open(PathBuf, String),
    /// SQLite failed.
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
