//! The table of cells.

use core::fmt;
use core::hash::Hasher as _;
use core::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::agree::{NotAgreed, agree};
use super::cell::{CELL_BYTES, Cell};
use super::entry::Digest;
use super::values::{Shared, SharedError};

/// What all have agreed on: 8 bytes of the table's size, 16 of the digests' key. The name has the
/// version of the layout, the cells' included: another version of the filter in the same Envoy has
/// a table of its own.
const HEADER: &str = "portcullis.table.v3";

/// Bytes of the header.
const HEADER_BYTES: usize = 24;

/// Attempts to change a cell. Each that fails means that another worker's succeeded, so only a
/// broken host comes to the last.
const MAX_TRIES: u32 = 1000;

/// A table of expiring entries that all workers of an Envoy share.
pub struct Table {
    cells: u32,
    key: [u8; 16],
    /// How often another worker was faster, since somebody asked.
    retries: AtomicU64,
}

/// A cell can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

impl From<SharedError> for Unavailable {
    fn from(_: SharedError) -> Self {
        Self
    }
}

/// Why there is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJoined {
    /// The filters that were there first share a table of this many bytes.
    OtherSize(u64),
    /// The workers share no key.
    NotAgreed(NotAgreed),
}

impl From<NotAgreed> for NotJoined {
    fn from(error: NotAgreed) -> Self {
        Self::NotAgreed(error)
    }
}

impl From<SharedError> for NotJoined {
    fn from(error: SharedError) -> Self {
        Self::NotAgreed(error.into())
    }
}

impl Table {
    /// Makes the table, or finds it made: it takes up to `size` bytes, which is the same for all
    /// who share it. `fresh` are random bytes. Before any worker serves (see [`Shared::make`]).
    ///
    /// # Errors
    /// There is a table of another size, or none can be made.
    pub fn join(
        shared: &dyn Shared,
        size: u64,
        fresh: Option<[u8; 16]>,
    ) -> Result<Self, NotJoined> {
        shared.make(HEADER)?;
        let header = fresh.map(|key| {
            let mut header = [0; HEADER_BYTES];
            let fields = size.to_le_bytes().into_iter().chain(key);
            header
                .iter_mut()
                .zip(fields)
                .for_each(|(to, from)| *to = from);
            header
        });
        let header = agree::<HEADER_BYTES>(shared, HEADER, header)?;
        let (found, key) = header
            .split_first_chunk::<8>()
            .and_then(|(size, key)| Some((u64::from_le_bytes(*size), *key.first_chunk()?)))
            .ok_or(NotAgreed::Foreign)?;
        if found != size {
            return Err(NotJoined::OtherSize(found));
        }
        let table = Self {
            cells: cells(size),
            key,
            retries: AtomicU64::new(0),
        };
        table.make_cells(shared)?;
        Ok(table)
    }

    fn make_cells(&self, shared: &dyn Shared) -> Result<(), SharedError> {
        // Cells are made from the first to the last: where the last is, all are.
        if shared.get(&name(self.cells.saturating_sub(1))).is_ok() {
            return Ok(());
        }
        (0..self.cells).try_for_each(|cell| shared.make(&name(cell)))
    }

    /// The digest of a list of texts: SipHash-2-4 of 128 bits, with the key that the workers have
    /// drawn. Without the key nobody can find two lists that share a digest, or a cell.
    #[must_use]
    pub fn digest<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Digest {
        let mut hash = SipHasher24::new_with_key(&self.key);
        for part in parts {
            // Its length before each part, so that no two lists read alike.
            hash.write(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.write(part.as_bytes());
        }
        hash.finish128().as_u128().to_le_bytes()
    }

    /// Shows `change` what lives at `now`, in milliseconds since 1970, in the cell of a digest, and
    /// keeps what it makes of that. It is shown again what another worker made of the cell
    /// meanwhile, until it was alone.
    ///
    /// # Errors
    /// What `change` says, and nothing is changed; or the cell can't be used.
    pub fn update<T, E: From<Unavailable>>(
        &self,
        shared: &dyn Shared,
        digest: &Digest,
        now: u64,
        mut change: impl FnMut(&mut Cell) -> Result<T, E>,
    ) -> Result<T, E> {
        let name = name(self.cell(digest));
        for _ in 0..MAX_TRIES {
            let (bytes, version) = shared.get(&name).map_err(Unavailable::from)?;
            let mut cell = Cell::read(bytes, now).ok_or(Unavailable)?;
            let result = change(&mut cell)?;
            let set = shared.compare_and_set(&name, &cell.into_bytes(), version);
            if set.map_err(Unavailable::from)? {
                return Ok(result);
            }
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
        Err(Unavailable.into())
    }

    /// As [`Self::update`], without keeping what `change` makes of the cell.
    ///
    /// # Errors
    /// What `change` says; or the cell can't be used.
    pub fn look<T, E: From<Unavailable>>(
        &self,
        shared: &dyn Shared,
        digest: &Digest,
        now: u64,
        change: impl FnOnce(&mut Cell) -> Result<T, E>,
    ) -> Result<T, E> {
        let name = name(self.cell(digest));
        let (bytes, _) = shared.get(&name).map_err(Unavailable::from)?;
        change(&mut Cell::read(bytes, now).ok_or(Unavailable)?)
    }

    /// How often another worker was faster, so that a change was tried once more, since this was last
    /// asked.
    #[must_use]
    pub fn take_retries(&self) -> u64 {
        self.retries.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn cell(&self, digest: &Digest) -> u32 {
        let [first, second, third, fourth, ..] = *digest;
        u32::from_le_bytes([first, second, third, fourth]) % self.cells
    }
}

impl fmt::Debug for Table {
    /// Whoever knows the key can fill whatever cell they like.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Table of {} cells", self.cells)
    }
}

/// The number of cells that fit into so many bytes; at least one.
fn cells(size: u64) -> u32 {
    let bytes = u64::try_from(CELL_BYTES).unwrap_or(u64::MAX);
    u32::try_from(size / bytes).unwrap_or(u32::MAX).max(1)
}

fn name(cell: u32) -> String {
    format!("{HEADER}.{cell}")
}
