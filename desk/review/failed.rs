//! Why a command ends before its end.

use std::fmt;
use std::io;

use super::{DONE, REFUSED, UNABLE};

/// Why a command ends before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The desk refused.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said, and what may help.
        said: String,
    },
    /// The desk can't be reached, or a file not be read.
    Unable(String),
    /// The command can't be right.
    Wrong(String),
    /// Nobody reads the output any more.
    Unread,
}

/// The exit status of a command, or why it ended before its end.
pub type Status = Result<u8, Failed>;

impl Failed {
    /// The exit status.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Refused { .. } => REFUSED,
            Self::Unable(_) | Self::Wrong(_) => UNABLE,
            Self::Unread => DONE,
        }
    }

    /// Whether it may be gone in a moment: the desk is away, starts, or stands behind something that says so.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::Unable(_) => true,
            Self::Wrong(_) | Self::Unread => false,
        }
    }
}

/// What can't be told stops nothing that was begun: that is said at the end.
#[derive(Debug, Default)]
pub(super) struct Telling(Option<Failed>);

impl Telling {
    /// Notes whether a line was written.
    pub(super) fn note(&mut self, written: Result<(), Failed>) {
        if let Err(failed) = written {
            self.0.get_or_insert(failed);
        }
    }

    /// The exit status, which nobody's leaving changes.
    pub(super) fn end(self, status: u8) -> Status {
        match self.0 {
            None | Some(Failed::Unread) => Ok(status),
            Some(failed) => Err(failed),
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { said, .. } | Self::Unable(said) | Self::Wrong(said) => {
                formatter.write_str(said)
            }
            Self::Unread => formatter.write_str("nobody reads the output"),
        }
    }
}

impl std::error::Error for Failed {}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Unable(format!("the output can't be written: {error}")),
        }
    }
}
