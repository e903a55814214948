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
    /// PostgreSQL failed: what it said.
    Postgres(String),
    /// Another desk changed the same thing at the same time.
    Conflict,
    /// The system has no randomness.
    Random(String),
    /// What is stored isn't what this version writes.
    Form(String),
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
            Self::Postgres(said) => write!(formatter, "PostgreSQL: {said}"),
            Self::Conflict => formatter.write_str("another desk changed the same thing"),
            Self::Random(reason) => write!(formatter, "no randomness: {reason}"),
            Self::Form(reason) => write!(formatter, "what is stored can't be read: {reason}"),
            Self::Interrupted => formatter.write_str("the desk is stopping"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        // What the database says stands in the cause.
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Self::Postgres(format!("{error}{}", cause.unwrap_or_default()))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
