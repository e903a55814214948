//! Taking from a window.

use core::iter::once;
use core::time::Duration;

use super::reservation::Reservation;
use super::window::{Window, milliseconds};
use crate::shared::{Entry, Full, Kind, Shared, Table, Unavailable};

/// What is taken, and from which quota.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The quota's name.
    pub quota: &'a str,
    /// The values of its dimensions, such as the subject.
    pub key: &'a [&'a str],
    /// How much this request takes.
    pub amount: u64,
    /// How much is allowed in one window.
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
    /// The table can't be used, or has no room.
    Unavailable,
}

impl From<Unavailable> for ChargeError {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<Full> for ChargeError {
    fn from(_: Full) -> Self {
        Self::Unavailable
    }
}

/// Takes `charge.amount` from the window that `now` (since 1970) lies in, if it has as much left.
///
/// # Errors
/// Nothing was taken.
pub fn charge(
    table: &Table,
    shared: &dyn Shared,
    charge: &Charge<'_>,
    now: Duration,
) -> Result<Reservation, ChargeError> {
    if charge.amount > charge.limit {
        return Err(ChargeError::Never);
    }
    let window = Window::of(charge.per, now);
    let digest = table.digest(once(charge.quota).chain(charge.key.iter().copied()));
    table.update(shared, &digest, milliseconds(now), |cell| {
        let count = cell.value(Kind::Count, &digest, window.end).unwrap_or(0);
        let total = count
            .checked_add(charge.amount)
            .filter(|total| *total <= charge.limit)
            .ok_or(ChargeError::Over {
                retry_after: window.retry_after(),
            })?;
        cell.put(Entry {
            kind: Kind::Count,
            digest,
            expiry: window.end,
            value: total,
        })?;
        let left = charge.limit.saturating_sub(total);
        Ok(Reservation::new(digest, window.end, charge.amount, left))
    })
}
