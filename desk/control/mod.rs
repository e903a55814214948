//! Orders for a running desk, by a Unix socket in the ledger's folder.
//!
//! Only one process writes to a ledger. `portcullis sessions import` and `rotate` find it locked while a
//! desk runs, and hand the work to the recorder's writer, which does it in its own order. The socket is
//! for the folder's owner only.
//!
//! Each side sends frames: a length (4 bytes, big-endian) and so many bytes. The first is an [`Order`] as
//! JSON. Behind `Import`, each frame is a record, and an empty one ends a batch; each batch has an answer.
//! `Rotate` has one.

mod call;
mod frame;
mod serve;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use call::{Line, NoDesk};
pub use serve::Orders;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Store records that the ledger lacks.
    Import,
    /// Make a new signing key.
    Rotate,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// What became of a batch of records.
    Stored {
        /// How many were stored.
        new: usize,
        /// How many were there already.
        known: usize,
        /// How many were left out since others have their ids or numbers.
        contradicting: usize,
    },
    /// The new public key.
    Rotated(String),
    /// Why nothing came of it.
    Failed(String),
}

/// The most records of a batch.
pub const MAX_BATCH: usize = 1000;

/// The most bytes of a batch: twice the longest record.
pub const MAX_BATCH_BYTES: usize = 64 << 20;

/// Where the socket is.
#[must_use]
pub fn socket(ledger: &Path) -> PathBuf {
    ledger.join("orders")
}
