//! What the workers of one Envoy share: named values that change by compare-and-set ([`Shared`]),
//! values that the first worker draws for all ([`agree`]), and a [`Table`] of expiring entries
//! whose size is fixed.
//!
//! The table is an array of cells, each one value of 2,048 bytes. An entry's cell is given by a digest
//! that has a random key ([`Table::digest`]): nobody outside can choose whose entries fall together.
//! Entries are as long as what they say. In a full cell:
//!
//! - an entry that has expired makes room, and nothing else does: an entry that lives is never
//!   pushed out, since a limit that can be pushed out of memory is no limit;
//! - a new count is refused room first, at [`MAX_COUNTED_BYTES`], so that callers alone can't take
//!   what reservations and grants need.
//!
//! How many counts find room whatever falls together is in docs/quotas.md.

mod agree;
mod cell;
mod entry;
mod once;
mod section;
mod table;
mod values;

#[cfg(test)]
mod tests;

pub use agree::{NotAgreed, agree, next_number};
pub use cell::{CELL_BYTES, Cell, Full, MAX_COUNTED_BYTES};
pub use entry::{Digest, Entry, HEAD_BYTES, Kind, MAX_EXPIRY};
pub use once::ReadOnce;
pub use section::{STORE, Store, read};
pub use table::{NotJoined, Table, Unavailable};
pub use values::{Shared, SharedError};
