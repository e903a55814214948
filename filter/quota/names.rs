//! Counts that somebody makes by making up names.
//!
//! A model, a claim or an address may be whatever a caller says. Whoever says a new one each time
//! would fill the table, and newcomers would be refused because of it. So a subject makes at most
//! [`MAX_NAMES`] counts of such a quota in a window; what it asks for by further names is counted
//! together, under the same limit.

use super::charge::{Charge, ChargeError};
use crate::shared::{Cell, Digest, Entry, Kind, Shared, Table, Unavailable};

/// How many counts a subject may make in a window.
pub(super) const MAX_NAMES: u16 = 64;

/// The first text of the key of what a subject asks for by further names; its provider and the subject
/// come behind it.
pub const OTHERS: &str = "other names";

/// Why a count wasn't taken from.
pub(super) enum Missed {
    /// It isn't there, and it isn't known whether it may be made.
    Newcomer,
    Error(ChargeError),
}

impl From<ChargeError> for Missed {
    fn from(error: ChargeError) -> Self {
        Self::Error(error)
    }
}

impl From<Unavailable> for Missed {
    fn from(_: Unavailable) -> Self {
        Self::Error(ChargeError::Unavailable)
    }
}

/// Takes from a count by its digest; whether it may be made if it isn't there.
type Attempt<'a, T> = &'a mut dyn FnMut(&Digest, bool) -> Result<T, Missed>;

/// Attempts to take from a charge's count, or from the one that its inventor's names have in common.
/// `end` is when the window ends that `now` lies in; nothing changes unless `write`.
pub(super) fn resolve<T>(
    (table, shared): (&Table, &dyn Shared),
    charge: &Charge<'_>,
    (now, end): (u64, u64),
    write: bool,
    attempt: Attempt<'_, T>,
) -> Result<T, ChargeError> {
    let digest = charge.digest(table);
    let settled = match (attempt(&digest, charge.inventor.is_none()), charge.inventor) {
        (Err(Missed::Newcomer), Some((provider, subject))) => {
            let of_names =
                |what| super::charge::digest(table, charge.quota, &[what, provider, subject]);
            match may_make(table, shared, &of_names("names"), (now, end), write)? {
                true => attempt(&digest, true),
                false => attempt(&of_names(OTHERS), true),
            }
        }
        (result, _) => result,
    };
    settled.map_err(|missed| match missed {
        Missed::Newcomer => ChargeError::Unavailable,
        Missed::Error(error) => error,
    })
}

/// Whether somebody may make one more count, which is noted.
fn may_make(
    table: &Table,
    shared: &dyn Shared,
    digest: &Digest,
    (now, end): (u64, u64),
    write: bool,
) -> Result<bool, ChargeError> {
    let change = |cell: &mut Cell| {
        let found = cell.get(Kind::Names, digest);
        let made = found.and_then(|entry| entry.payload.first_chunk());
        let made = made.map_or(0, |bytes| u16::from_le_bytes(*bytes));
        if made >= MAX_NAMES {
            return Ok(false);
        }
        let expiry = found.map_or(end, |entry| entry.expiry);
        cell.put(&Entry {
            kind: Kind::Names,
            digest,
            expiry,
            payload: &made.saturating_add(1).to_le_bytes(),
        })?;
        Ok(true)
    };
    // Whose names are used up is only looked at: what others make of the cell doesn't concern it.
    match table.look(shared, digest, now, change)? {
        true if write => table.update(shared, digest, now, change),
        may => Ok(may),
    }
}
