//! The ledger: an append-only log of entries that nobody can change unseen.
//!
//! It knows nothing of what its entries say, but for its own keys and for what was removed. A folder holds
//!
//! - `segments/`: the entries, packed in groups (`segments.rs`, `group.rs`),
//! - `tile/`: the Merkle tree over them (RFC 6962) and the entry bundles, as c2sp.org/tlog-tiles
//!   has them. A bundle has a [`Leaf`] for each entry: all about it but its bytes, of which it has
//!   the digest,
//! - `checkpoint`: the latest signed size and root (c2sp.org/tlog-checkpoint),
//! - `lock`: held by the process that writes.
//!
//! The signing keys are in a folder of their own ([`Keys`]). [`Ledger`] writes, [`Reader`] reads,
//! also beside a writer, and [`verify`] tells whether all is as it was signed, and what is not.

mod checkpoint;
mod cosignature;
mod cosigned;
mod entry;
mod error;
mod files;
mod group;
mod grow;
mod hash;
mod keys;
mod note;
mod open;
mod proof;
mod reader;
mod retention;
mod segments;
mod submission;
#[cfg(test)]
mod tests;
mod tiles;
mod tree;
mod verify;
mod watch;
mod witness;
mod writer;

pub use checkpoint::Checkpoint;
pub use cosignature::{Cosigner, WitnessKey};
pub use cosigned::Cosigned;
pub use entry::{Entry, Kind, LEAF_BYTES, Leaf, MAX_ENTRY_BYTES};
pub use error::LedgerError;
pub use group::Part;
pub use hash::{HASH_BYTES, Hash, root};
pub use keys::{Chain, Keys, named};
pub use note::{MAX_NOTE_BYTES, Note, Private, PrivateKey, Public, PublicKey};
pub use open::{Cut, Opened};
pub use proof::{Nodes, consistency, inclusion, is_consistent, root_by_inclusion};
pub use reader::{Latest, Place, Reader, Visit};
pub use retention::{Expired, KeptKey, Removal, expired};
pub use segments::{Segment, list as segments};
pub use submission::Submission;
pub use tiles::Tiles;
pub use tree::{Edge, FullTile, TILE_WIDTH};
pub use verify::{Problem, Problems, Question, Verdict, Wrong, verify};
pub use watch::{Unwitnessed, Watch, name_of};
pub use witness::checkpoints;
pub use writer::{Ledger, Options, SEGMENT_BYTES, SEGMENT_MILLIS};
