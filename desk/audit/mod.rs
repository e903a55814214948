//! `portcullis sessions`: what an auditor does with a ledger of session records.
//!
//! All of them may run beside a desk that writes. They read the ledger itself: what the index says is at most a hint, since nobody signs for it.

mod body;
mod event;
mod evidence;
mod export;
mod gaps;
mod import;
mod list;
mod logged;
mod proof;
mod select;
mod verify;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

pub use body::{Direction, body};
pub use export::{Form, export};
pub use gaps::gaps;
pub use import::{import, rotate};
pub use list::{absence, list, show};
pub use proof::prove;
pub use select::Selection;
pub use verify::{Known, verify, verify_evidence, verify_proof};

use crate::ledger::{LedgerError, Reader};
use crate::plain::plain;

/// All is right.
pub const RIGHT: u8 = 0;

/// Something is wrong: changed, missing, or not there.
pub const WRONG: u8 = 1;

/// Why a command could not do its work: exit status 2.
#[derive(Debug)]
pub struct Failed(String);

impl Failed {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl From<LedgerError> for Failed {
    fn from(error: LedgerError) -> Self {
        Self(error.to_string())
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(format!("the output can't be written: {error}"))
    }
}

/// The exit status of a command, or why it has none of its own.
pub type Status = Result<u8, Failed>;

/// A reader of the ledger in `folder`, which is one.
fn open(folder: &Path) -> Result<Reader, Failed> {
    if crate::ledger::segments(folder)?.is_empty() {
        return Err(Failed::new(format!(
            "{}: found no segments, expected the folder of a ledger",
            folder.display()
        )));
    }
    Ok(Reader::new(folder))
}

/// Writes a line of text from inside.
fn line(out: &mut dyn Write, text: &str) -> Result<(), Failed> {
    writeln!(out, "{text}").map_err(Failed::from)
}

/// A text that need not be there.
fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}
