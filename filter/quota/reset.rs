//! Emptying a count, since a person says so.
//!
//! All workers hear of a reset, each when it does, and some more than once. The first one takes the count
//! out of its cell and puts a mark in, in one compare-and-set; the others find the mark. So what is
//! charged behind that stays charged.
//!
//! A mark is known by the reset and the count together, and lies in the count's cell: the first bytes of
//! its digest are the count's.

use super::charge::digest;
use crate::shared::{Cell, Entry, Full, Kind, Shared, Table, Unavailable};

/// A count is to be emptied.
#[derive(Clone, Copy, Debug)]
pub struct Reset<'a> {
    /// What the reset is known by.
    pub id: &'a str,
    /// The quota, as in [`super::Charge`].
    pub quota: &'a str,
    /// The values of its dimensions.
    pub key: &'a [&'a str],
    /// Until when other workers may hear of it, in milliseconds since 1970: so long is it remembered.
    pub until: u64,
}

/// Why a count wasn't emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReset {
    /// Another worker has, or this one before; or it isn't there, nor room for the mark.
    Known,
    /// The table can't be used.
    Unavailable,
}

impl From<Unavailable> for NotReset {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<Full> for NotReset {
    fn from(_: Full) -> Self {
        // A count takes more room than a mark.
        Self::Known
    }
}

/// Empties a count at `now` (in milliseconds since 1970), unless that was done for the same reset.
///
/// # Errors
/// The count is as it was.
pub fn reset(
    table: &Table,
    shared: &dyn Shared,
    reset: &Reset<'_>,
    now: u64,
) -> Result<(), NotReset> {
    let count = digest(table, reset.quota, reset.key);
    let mut mark = digest(table, reset.id, reset.key);
    for (to, from) in mark.iter_mut().zip(count).take(PLACE_BYTES) {
        *to = from;
    }
    table.update(shared, &count, now, |cell: &mut Cell| {
        if cell.get(Kind::Reset, &mark).is_some() {
            return Err(NotReset::Known);
        }
        cell.remove(Kind::Count, &count);
        Ok(cell.put(&Entry {
            kind: Kind::Reset,
            digest: &mark,
            expiry: reset.until,
            payload: &[],
        })?)
    })
}

/// Bytes of a digest that say in which cell it is.
const PLACE_BYTES: usize = 4;
