//! Taking from a count.

use core::time::Duration;

use super::names::{self, Missed};
use super::reservation::Reservation;
use super::window::{Want, Window, milliseconds};
use crate::shared::{Cell, Digest, Entry, Full, Kind, Shared, Table, Unavailable};

/// What is taken, and from which count.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The quota's name, with what makes its counts unlike those of the same name under another
    /// policy.
    pub quota: &'a str,
    /// The values of its dimensions, such as the subject.
    pub key: &'a [&'a str],
    /// How much this request takes.
    pub amount: u64,
    /// How much must be left, if that is more than it takes.
    pub room: u64,
    /// How much is allowed.
    pub limit: u64,
    /// Who may have made up some of the key.
    pub inventor: Option<Inventor<'a>>,
}

/// Who makes up names: a provider and a subject.
pub type Inventor<'a> = (&'a str, &'a str);

/// Why nothing was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeError {
    /// There is not enough left; there may be after this many seconds, at least 1.
    Over {
        /// Seconds until enough is back, unless others take it.
        retry_after: u64,
    },
    /// More than there ever is: waiting will not help.
    Never,
    /// The table can't be used, or has no room.
    Unavailable,
}

impl ChargeError {
    /// In so many milliseconds there may be enough.
    pub(super) fn over(wait: u64) -> Self {
        Self::Over {
            retry_after: wait.div_ceil(1000).max(1),
        }
    }
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

impl Charge<'_> {
    /// What must be left.
    pub(super) fn needs(&self) -> u64 {
        self.amount.max(self.room)
    }
}

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

/// Says how much would be left if [`charge`] was called now, and takes nothing.
///
/// # Errors
/// It couldn't be taken.
pub fn look(
    table: &Table,
    shared: &dyn Shared,
    window: Window,
    charge: &Charge<'_>,
    now: Duration,
) -> Result<u64, ChargeError> {
    take(table, shared, window, charge, (now, false)).map(|taken| taken.left())
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
                (taken.at, taken.left),
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
