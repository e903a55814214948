//! What was taken from a count, until it is known what was really used.

use core::time::Duration;

use super::charge::Charge;
use super::taking::{Change, Want, Written, milliseconds};
use super::window::Window;
use crate::shared::{Cell, Digest, Entry, Full, Kind, Shared, Table, Unavailable};

/// An amount that was taken from one count. Dropped, it stays taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    window: Window,
    /// The digest of the quota and its key.
    digest: Digest,
    /// The time that it was taken for, as the window counts time.
    at: u64,
    amount: u64,
    limit: u64,
    /// How much was left behind it.
    left: u64,
    /// When the count says nothing any more unless more is taken, in milliseconds since 1970.
    until: u64,
}

impl Reservation {
    pub(super) fn new(
        window: Window,
        digest: Digest,
        charge: &Charge<'_>,
        (at, left, until): (u64, u64, u64),
    ) -> Self {
        Self {
            window,
            digest,
            at,
            amount: charge.amount,
            limit: charge.limit,
            left,
            until,
        }
    }

    /// How much is taken.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// How much was left once it had been taken.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// When all of it will be there again unless somebody takes more, in milliseconds since 1970.
    #[must_use]
    pub fn until(&self) -> u64 {
        self.until
    }

    /// Whether it was taken for a charge from what its inventor's further names have in common.
    #[must_use]
    pub fn is_of_others(&self, table: &Table, charge: &Charge<'_>) -> bool {
        charge.inventor.is_some() && self.digest != charge.digest(table)
    }

    /// How much there is when nothing is taken: of a bucket, its burst.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.window.most_at_once(self.limit)
    }

    /// How much there may be.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes so much more at `now` (since 1970), even beyond the limit: it has been used, and later
    /// requests have to wait.
    ///
    /// # Errors
    /// The table can't be used, or has no room for a count that has expired meanwhile.
    pub fn add(
        &mut self,
        table: &Table,
        shared: &dyn Shared,
        more: u64,
        now: Duration,
    ) -> Result<(), Unsettled> {
        let now = milliseconds(now);
        let want = Want {
            amount: more,
            room: None,
            limit: self.limit,
            now,
        };
        let (window, digest) = (self.window, self.digest);
        (self.left, self.until) = table.update(shared, &digest, now, |cell| {
            let taken = window.take(cell.get(Kind::Count, &digest), &want);
            let taken = taken.map_err(|_| Unsettled)?;
            put(cell, &digest, &taken.written)?;
            Ok::<_, Unsettled>((taken.left, taken.until))
        })?;
        self.amount = self.amount.saturating_add(more);
        Ok(())
    }

    /// Corrects what was taken to `amount`, even beyond the limit. Does nothing once that time is past
    /// at `now` (since 1970).
    ///
    /// # Errors
    /// The table can't be used, or has no room; what was taken before stays taken.
    pub fn settle(
        &mut self,
        table: &Table,
        shared: &dyn Shared,
        amount: u64,
        now: Duration,
    ) -> Result<(), Unsettled> {
        let now = milliseconds(now);
        if amount != self.amount {
            let change = Change {
                at: self.at,
                taken: self.amount,
                instead: amount,
                limit: self.limit,
                now,
            };
            let (window, digest) = (self.window, self.digest);
            table.update(shared, &digest, now, |cell| {
                match window.change(cell.get(Kind::Count, &digest), &change) {
                    Some(written) => put(cell, &digest, &written),
                    None => Ok(()),
                }
            })?;
        }
        self.amount = amount;
        Ok(())
    }

    /// Gives it back to the time that it was taken for.
    ///
    /// # Errors
    /// The table can't be used; the amount stays taken.
    pub fn refund(
        mut self,
        table: &Table,
        shared: &dyn Shared,
        now: Duration,
    ) -> Result<(), Unsettled> {
        self.settle(table, shared, 0, now)
    }
}

fn put(cell: &mut Cell, digest: &Digest, written: &Written) -> Result<(), Unsettled> {
    let entry = Entry {
        kind: Kind::Count,
        digest,
        expiry: written.expiry,
        payload: &written.payload,
    };
    Ok(cell.put(&entry)?)
}

/// A reservation could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsettled;

impl From<Unavailable> for Unsettled {
    fn from(_: Unavailable) -> Self {
        Self
    }
}

impl From<Full> for Unsettled {
    fn from(_: Full) -> Self {
        Self
    }
}
