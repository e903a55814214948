//! What was taken from a window, until it is known what was really used.

use core::time::Duration;

use super::window::milliseconds;
use crate::shared::{Digest, Entry, Full, Kind, Shared, Table, Unavailable};

/// An amount that was taken from one window. Dropped, it stays taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The digest of the quota and its key.
    digest: Digest,
    /// The end of its window, in milliseconds since 1970.
    end: u64,
    amount: u64,
    /// How much of the window was left behind it.
    left: u64,
}

impl Reservation {
    pub(super) fn new(digest: Digest, end: u64, amount: u64, left: u64) -> Self {
        Self {
            digest,
            end,
            amount,
            left,
        }
    }

    /// How much is taken.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// How much of the window was left once it had been taken.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Corrects what was taken to `amount`, even beyond the limit: it has been used, and later
    /// requests have to wait. Does nothing once the window has ended before `now` (since 1970).
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
        if self.end > now && amount != self.amount {
            table.update(shared, &self.digest, now, |cell| {
                let count = cell.value(Kind::Count, &self.digest, self.end).unwrap_or(0);
                let value = count.saturating_sub(self.amount).saturating_add(amount);
                if value == 0 {
                    cell.remove(Kind::Count, &self.digest, self.end);
                    return Ok(());
                }
                cell.put(Entry {
                    kind: Kind::Count,
                    digest: self.digest,
                    expiry: self.end,
                    value,
                })
                .map_err(Unsettled::from)
            })?;
        }
        self.amount = amount;
        Ok(())
    }

    /// Gives it back to its window.
    ///
    /// # Errors
    /// The table can't be used; the amount stays taken until the window ends.
    pub fn refund(
        mut self,
        table: &Table,
        shared: &dyn Shared,
        now: Duration,
    ) -> Result<(), Unsettled> {
        self.settle(table, shared, 0, now)
    }
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
