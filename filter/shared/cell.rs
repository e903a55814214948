//! One cell of the table: the living entries whose digests fall into it.

use super::entry::{Digest, Entry, Kind, MAX_PAYLOAD_BYTES};

/// Bytes of a full cell.
pub const CELL_BYTES: usize = 2048;

/// What callers alone may take of a cell. What is left is for reservations and grants.
pub const MAX_COUNTED_BYTES: usize = CELL_BYTES / 8 * 7;

/// The living entries of one cell.
#[derive(Debug)]
pub struct Cell {
    /// One entry behind the other.
    bytes: Vec<u8>,
}

/// A cell has no room for one more entry until another expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Cell {
    /// Reads what lives at `now`, in milliseconds since 1970. `None` for bytes that are no cell; a
    /// cell that was never written is empty.
    pub(super) fn read(bytes: Vec<u8>, now: u64) -> Option<Self> {
        if bytes.len() > CELL_BYTES {
            return None;
        }
        let mut rest = bytes.as_slice();
        let mut some_expired = false;
        while !rest.is_empty() {
            let (entry, behind) = Entry::split(rest)?;
            some_expired |= entry.expiry <= now;
            rest = behind;
        }
        let mut cell = Self { bytes };
        if some_expired {
            cell.retain(|entry| entry.expiry > now);
        }
        Some(cell)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut rest = self.bytes.as_slice();
        core::iter::from_fn(move || {
            let (entry, behind) = Entry::split(rest)?;
            rest = behind;
            Some(entry)
        })
    }

    fn retain(&mut self, keep: impl Fn(&Entry<'_>) -> bool) {
        let mut kept = Vec::with_capacity(CELL_BYTES);
        for entry in self.entries().filter(|entry| keep(entry)) {
            entry.write(&mut kept);
        }
        self.bytes = kept;
    }

    /// The entry of this kind and digest, if there is one.
    #[must_use]
    pub fn get(&self, kind: Kind, digest: &Digest) -> Option<Entry<'_>> {
        self.entries()
            .find(|entry| entry.kind == kind && entry.digest == digest)
    }

    /// Puts an entry in, in place of the one that is there of its kind and digest.
    ///
    /// # Errors
    /// There is no room for it. What was there stays there.
    pub fn put(&mut self, entry: &Entry<'_>) -> Result<(), Full> {
        if self.replace(entry) {
            return Ok(());
        }
        let others = |kept: &Entry<'_>| kept.kind != entry.kind || kept.digest != entry.digest;
        let (mut all, mut counted, mut known) = (entry.bytes(), entry.bytes(), None);
        for other in self.entries() {
            if !others(&other) {
                known = Some(other.bytes());
                continue;
            }
            all = all.saturating_add(other.bytes());
            if other.kind.is_of_callers() {
                counted = counted.saturating_add(other.bytes());
            }
        }
        // Who is there already, and takes no more than before, finds room whatever there is besides.
        let grows = known.is_none_or(|before| before < entry.bytes());
        let crowded = grows && entry.kind.is_of_callers() && counted > MAX_COUNTED_BYTES;
        if all > CELL_BYTES || crowded || entry.payload.len() > MAX_PAYLOAD_BYTES {
            return Err(Full);
        }
        if known.is_some() {
            self.retain(others);
        }
        entry.write(&mut self.bytes);
        Ok(())
    }

    /// Writes an entry over the one of its kind and digest, if that is as long: the usual case, in which
    /// nothing else in the cell is touched.
    fn replace(&mut self, entry: &Entry<'_>) -> bool {
        let mut at: usize = 0;
        let same = self.entries().find(|other| {
            let same = other.kind == entry.kind && other.digest == entry.digest;
            if !same {
                at = at.saturating_add(other.bytes());
            }
            same
        });
        if same.map(|other| other.bytes()) != Some(entry.bytes()) {
            return false;
        }
        let place = self.bytes.get_mut(at..at.saturating_add(entry.bytes()));
        place.map(|place| entry.write_over(place)).is_some()
    }

    /// Takes an entry out, if it is there.
    pub fn remove(&mut self, kind: Kind, digest: &Digest) {
        self.retain(|entry| entry.kind != kind || entry.digest != digest);
    }
}
