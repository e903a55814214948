//! Taking from a count.

use core::time::Duration;

use super::charge::{Charge, ChargeError};
use super::names::{self, Missed};
use super::reservation::Reservation;
use super::taking::{Want, milliseconds};
use super::window::Window;
use crate::shared::{Cell, Digest, Entry, Kind, Shared, Table};

/// Takes `charge.amount`, if there is as much left at `now` (since 1970).
///
/// # Errors
/// Nothing was taken.
pub fn charge(
    table: &Table,
    shared: &dyn Shared,
    window: Window,
    charge: &Charge<'_>,
    now: Duration,
) -> Result<Reservation, ChargeError> {
    take(table, shared, window, charge, (now, true))
}

/// Says how much would be left if [`charge`] was called now, and when all of it would be there again (in
/// milliseconds since 1970), and takes nothing.
///
/// # Errors
/// It couldn't be taken.
pub fn look(
    table: &Table,
    shared: &dyn Shared,
    window: Window,
    charge: &Charge<'_>,
    now: Duration,
) -> Result<(u64, u64), ChargeError> {
    let taken = take(table, shared, window, charge, (now, false))?;
    Ok((taken.left(), taken.until()))
}

fn take(
    table: &Table,
    shared: &dyn Shared,
    window: Window,
    charge: &Charge<'_>,
    (now, write): (Duration, bool),
) -> Result<Reservation, ChargeError> {
    if charge.needs() > window.most_at_once(charge.limit) {
        return Err(ChargeError::Never);
    }
    let now = milliseconds(now);
    let want = Want {
        amount: charge.amount,
        room: Some(charge.needs()),
        limit: charge.limit,
        now,
    };
    let mut attempt = |digest: &Digest, may_begin: bool| {
        let change = |cell: &mut Cell| {
            let found = cell.get(Kind::Count, digest);
            if found.is_none() && !may_begin {
                return Err(Missed::Newcomer);
            }
            let taken = window.take(found, &want).map_err(ChargeError::over)?;
            cell.put(&Entry {
                kind: Kind::Count,
                digest,
                expiry: taken.written.expiry,
                payload: &taken.written.payload,
            })
            .map_err(ChargeError::from)?;
            Ok(Reservation::new(
                window,
                *digest,
                charge,
                (taken.at, taken.left, taken.until),
            ))
        };
        match write {
            true => table.update(shared, digest, now, change),
            false => table.look(shared, digest, now, change),
        }
    };
    let end = window.fixed_end(now);
    names::resolve((table, shared), charge, (now, end), write, &mut attempt)
}
