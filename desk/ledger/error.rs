//! How the ledger fails.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why something can't be done with a ledger.
#[derive(Debug)]
pub enum LedgerError {
    /// The system failed at this file or folder.
    Io(PathBuf, io::Error),
    /// What stands on disk is not what was written there. The text says where, what was found and
    /// what was expected.
    Damaged(String),
    /// Another process writes to this folder.
    Busy(PathBuf),
    /// The signing key is missing or not usable.
    Key(String),
    /// An entry is longer than [`super::MAX_ENTRY_BYTES`].
    TooLong(usize),
}

impl LedgerError {
    /// A function that puts a failure of the system in place.
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Io(path.clone(), error)
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(formatter, "{}: {error}", path.display()),
            Self::Damaged(what) => write!(formatter, "the ledger is damaged: {what}"),
            Self::Busy(path) => write!(
                formatter,
                "{}: another process writes to this ledger",
                path.display()
            ),
            Self::Key(what) => write!(formatter, "signing key: {what}"),
            Self::TooLong(bytes) => write!(
                formatter,
                "found an entry of {bytes} bytes, expected at most {}",
                super::MAX_ENTRY_BYTES
            ),
        }
    }
}

impl std::error::Error for LedgerError {}
