//! One cell of the table: the living entries whose digests fall into it.

use super::entry::{Digest, ENTRY_BYTES, Entry, Kind, MAX_EXPIRY};

/// Entries of a cell.
pub const MAX_ENTRIES: usize = 64;

/// Counts of a cell. What is left is for reservations and grants.
pub const MAX_COUNTS: usize = 56;

/// Bytes of a full cell.
pub(super) const CELL_BYTES: usize = MAX_ENTRIES * ENTRY_BYTES;

/// The living entries of one cell.
#[derive(Debug)]
pub struct Cell {
    entries: Vec<Entry>,
}

/// A cell has no room for one more entry until another expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Cell {
    /// Reads what lives at `now`, in milliseconds since 1970. `None` for bytes that are no cell; a
    /// cell that was never written is empty.
    pub(super) fn read(bytes: &[u8], now: u64) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() || chunks.len() > MAX_ENTRIES {
            return None;
        }
        let mut entries = Vec::with_capacity(chunks.len().saturating_add(1));
        for chunk in chunks {
            let entry = Entry::read(chunk)?;
            if entry.expiry > now {
                entries.push(entry);
            }
        }
        Some(Self { entries })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len().saturating_mul(ENTRY_BYTES));
        for entry in &self.entries {
            entry.write(&mut bytes);
        }
        bytes
    }

    /// The entries of this kind and digest, with different expiries.
    pub fn entries(&self, kind: Kind, digest: &Digest) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.kind == kind && entry.digest == *digest)
    }

    /// The value of the entry with this expiry, if there is one.
    #[must_use]
    pub fn value(&self, kind: Kind, digest: &Digest, expiry: u64) -> Option<u64> {
        self.entries(kind, digest)
            .find(|entry| entry.expiry == expiry.min(MAX_EXPIRY))
            .map(|entry| entry.value)
    }

    /// Puts an entry in, or another value into the one that is there.
    ///
    /// # Errors
    /// It is not there, and there is no room for it.
    pub fn put(&mut self, entry: Entry) -> Result<(), Full> {
        let entry = Entry {
            expiry: entry.expiry.min(MAX_EXPIRY),
            ..entry
        };
        if let Some(there) = self.entries.iter_mut().find(|one| one.is(&entry)) {
            there.value = entry.value;
            return Ok(());
        }
        if !self.has_room_for(entry.kind) {
            return Err(Full);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Takes an entry out, if it is there.
    pub fn remove(&mut self, kind: Kind, digest: &Digest, expiry: u64) {
        let expiry = expiry.min(MAX_EXPIRY);
        self.entries.retain(|entry| {
            !(entry.kind == kind && entry.digest == *digest && entry.expiry == expiry)
        });
    }

    fn has_room_for(&self, kind: Kind) -> bool {
        let of_counts = |entry: &&Entry| entry.kind == Kind::Count;
        self.entries.len() < MAX_ENTRIES
            && (kind != Kind::Count || self.entries.iter().filter(of_counts).count() < MAX_COUNTS)
    }
}
