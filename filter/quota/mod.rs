//! Counters of the quotas, in a shared store of fixed size.
//!
//! The store is an array of cells that all workers of an Envoy share, each changed by
//! compare-and-set. A count's place is given by a digest of its quota and its key; a cell holds
//! the counts of all keys that fall into it, so memory has a bound however many callers there
//! are. A cell whose counts are all alive takes no new one, and the request is refused: a limit
//! that can be pushed out of memory is no limit. The digest has a key that nobody outside knows, or
//! whoever can choose names could fill a cell of somebody else's.
//!
//! Windows are fixed: they begin at whole multiples of their length since 1970, so that all
//! workers agree on them without a word. Up to twice the limit can pass in a time as long as a
//! window that lies across two of them.

mod cell;

#[cfg(test)]
mod tests;

use core::hash::Hasher as _;
use core::time::Duration;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use cell::Cell;

/// Shared memory of all workers.
pub trait Store {
    /// A cell's bytes and the number of its last change.
    ///
    /// # Errors
    /// The cell can't be read.
    fn get(&self, cell: u32) -> Result<(Vec<u8>, u32), StoreError>;

    /// Replaces a cell's bytes if it has not changed since `change`; gives whether it was.
    ///
    /// # Errors
    /// The cell can't be written.
    fn compare_and_set(&self, cell: u32, bytes: &[u8], change: u32) -> Result<bool, StoreError>;
}

/// The store can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreError;

/// How many cells a store has.
pub const CELLS: u32 = 4096;

/// Which count has which place. All workers must have the same.
pub struct Places {
    /// The key of the digest.
    key: [u8; 16],
}

impl Places {
    /// Places that nobody can foretell who doesn't know `key`, which must be random.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// A count's cell, and its digest in it.
    fn of(&self, charge: &Charge<'_>) -> (u32, [u8; 16]) {
        let mut hash = SipHasher24::new_with_key(&self.key);
        for part in core::iter::once(&charge.quota).chain(charge.key) {
            // Its length before each part, so that no two keys read alike.
            hash.write(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.write(part.as_bytes());
        }
        let digest = hash.finish128().as_u128();
        let cell = u32::try_from(digest % u128::from(CELLS)).unwrap_or(0);
        (cell, digest.to_le_bytes())
    }
}

impl core::fmt::Debug for Places {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Places")
    }
}

/// What a charge is made against.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The quota's name.
    pub quota: &'a str,
    /// What its counts are kept apart by.
    pub key: &'a [&'a str],
    /// How much this request takes.
    pub amount: u64,
    /// How much a window has.
    pub limit: u64,
    /// The window's length; not zero.
    pub per: Duration,
}

/// Why nothing was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeError {
    /// The window has not enough left; it ends after this many seconds, at least 1.
    Over {
        /// Seconds until the window ends.
        retry_after: u64,
    },
    /// More than any window has: waiting will not help.
    Never,
    /// The store failed or is full.
    Unavailable,
}

/// Somebody else changed the cell each of so many times; each of those changes was somebody's
/// progress, so this is reached only by a store that doesn't work.
const MOST_TRIES: u32 = 1000;

/// Takes `charge.amount` from the window that `now` (since 1970) lies in, if it has as much left.
///
/// # Errors
/// Nothing was taken.
pub fn charge(
    places: &Places,
    store: &dyn Store,
    charge: &Charge<'_>,
    now: Duration,
) -> Result<(), ChargeError> {
    if charge.amount > charge.limit {
        return Err(ChargeError::Never);
    }
    let window = Window::of(charge.per, now);
    change(places, store, charge, &window, |count| {
        count
            .checked_add(charge.amount)
            .filter(|total| *total <= charge.limit)
            .ok_or(ChargeError::Over {
                retry_after: window.end.saturating_sub(window.now).div_ceil(1000).max(1),
            })
    })
}

/// Gives back what [`charge`] took at the same `now`.
///
/// # Errors
/// The store failed; the amount stays taken until the window ends.
pub fn refund(
    places: &Places,
    store: &dyn Store,
    charge: &Charge<'_>,
    now: Duration,
) -> Result<(), ChargeError> {
    let window = Window::of(charge.per, now);
    change(places, store, charge, &window, |count| {
        Ok(count.saturating_sub(charge.amount))
    })
}

struct Window {
    now: u64,
    end: u64,
}

impl Window {
    fn of(per: Duration, now: Duration) -> Self {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = milliseconds(now);
        let per = milliseconds(per).max(1);
        let start = now - now % per;
        Self {
            now,
            end: start.saturating_add(per),
        }
    }
}

fn change(
    places: &Places,
    store: &dyn Store,
    charge: &Charge<'_>,
    window: &Window,
    next: impl Fn(u64) -> Result<u64, ChargeError>,
) -> Result<(), ChargeError> {
    let (index, key) = places.of(charge);
    for _ in 0..MOST_TRIES {
        let (bytes, change) = store.get(index).map_err(|_| ChargeError::Unavailable)?;
        let mut cell = Cell::read(&bytes).ok_or(ChargeError::Unavailable)?;
        cell.drop_ended(window.now);
        let count = cell.count(&key, window.end);
        if !cell.set(&key, window.end, next(count)?) {
            return Err(ChargeError::Unavailable);
        }
        match store.compare_and_set(index, &cell.write(), change) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(StoreError) => return Err(ChargeError::Unavailable),
        }
    }
    Err(ChargeError::Unavailable)
}
