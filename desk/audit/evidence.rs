//! Evidence: a file of records with all that is needed to check them, a JSON object a line.
//!
//! The first line has the checkpoint. One for each key of the ledger follows, then one for each
//! record: its number, kind, time and text, and its inclusion proof in that checkpoint's tree. The
//! last line says how many there were.

use serde::{Deserialize, Serialize};

/// The form that is written here.
pub(super) const FORM: &str = "portcullis/evidence/1";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub form: String,
    /// The note of the checkpoint.
    pub checkpoint: String,
}

/// A key or a record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub entry: u64,
    pub kind: u8,
    pub time: u64,
    pub text: String,
    /// Hashes in base64, from the leaf's neighbour up.
    pub proof: Vec<String>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tail {
    pub items: u64,
}
