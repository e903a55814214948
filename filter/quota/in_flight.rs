//! What may be under way at once.
//!
//! A count of this kind has a row for each VM that holds something: the VM's number, how much it
//! holds, and until when that is to be believed. A VM keeps in mind what it holds ([`InFlight`]), and
//! renews its rows long before they are over; so what a VM held that is gone, however it went, is free
//! again once its rows are over, and what an exchange held is free once it has ended.

use core::cell::{OnceCell, RefCell};
use core::time::Duration;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::charge::{Charge, ChargeError};
use super::names::{self, Missed};
use super::taking::{Short, milliseconds, next_multiple};
use crate::shared::{Cell, Digest, Entry, Full, Kind, NotAgreed, Shared, Table, next_number};

/// Where VMs find their numbers.
const VMS: &str = "portcullis.vms.v1";

/// How many counts a VM may hold something of; it renews all of them.
const MAX_HELD: usize = 16_384;

/// How often rows are renewed before they are over.
const RENEWALS: u32 = 3;

/// In how long names are counted that somebody makes up, in milliseconds.
const NAMES_WINDOW: u64 = 600_000;

/// Bytes of a row.
const ROW_BYTES: usize = 12;

/// What a VM holds.
#[derive(Debug, Default)]
pub struct InFlight {
    /// Its number.
    vm: OnceCell<u32>,
    held: RefCell<BTreeMap<Digest, Held>>,
}

/// What it holds of one count.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// Nothing, once all was given back and the row may not say so.
    amount: u32,
    lease: Duration,
}

/// Something that is held until it is given back. Dropped, it is given back when the VM renews its rows.
#[derive(Debug)]
pub struct Slot {
    all: Rc<InFlight>,
    digest: Digest,
    amount: u32,
    left: u64,
    limit: u64,
}

/// A row, as it is read and written.
#[derive(Clone, Copy)]
struct Row {
    vm: u32,
    amount: u32,
    /// In seconds since 1970.
    until: u32,
}

impl InFlight {
    /// Gives the VM a number that no other has: before it serves.
    ///
    /// # Errors
    /// There is none to be had.
    pub fn join(&self, shared: &dyn Shared) -> Result<(), NotAgreed> {
        shared.make(VMS)?;
        if self.vm.get().is_none() {
            let _ = self.vm.set(next_number(shared, VMS)?);
        }
        Ok(())
    }

    /// Holds `charge.amount`, if there is as much left at `now` (since 1970), or only looks whether it
    /// could if not `write`. What the VM holds when it is gone is free after the lease.
    ///
    /// # Errors
    /// Nothing is held.
    pub fn hold(
        self: &Rc<Self>,
        (table, shared): (&Table, &dyn Shared),
        charge: &Charge<'_>,
        lease: Duration,
        (now, write): (Duration, bool),
    ) -> Result<Slot, ChargeError> {
        if charge.needs() > charge.limit {
            return Err(ChargeError::Never);
        }
        let amount = u32::try_from(charge.amount).map_err(|_| ChargeError::Never)?;
        let now = milliseconds(now);
        let mut attempt = |digest: &Digest, may_begin: bool| {
            let own = self.of(digest);
            if own.is_none() && self.held.borrow().len() >= MAX_HELD {
                return Err(Missed::Error(ChargeError::Unavailable));
            }
            let own = own.map_or(0, |held| held.amount);
            let change = |cell: &mut Cell| {
                let found = cell.get(Kind::Count, digest);
                if found.is_none() && !may_begin {
                    return Err(Missed::Newcomer);
                }
                let rows = self.others(found, now);
                let others = rows.iter().map(|row| u64::from(row.amount));
                let taken = others.fold(u64::from(own), u64::saturating_add);
                if taken.saturating_add(charge.needs()) > charge.limit {
                    let left = charge.limit.saturating_sub(taken);
                    return Err(ChargeError::over(Short { wait: 0, left }).into());
                }
                let more = own.checked_add(amount).ok_or(ChargeError::Never)?;
                self.put(cell, digest, rows, (more, lease), now)
                    .map_err(ChargeError::from)?;
                let taken = taken.saturating_add(charge.amount);
                Ok(charge.limit.saturating_sub(taken))
            };
            let left = match write {
                true => table.update(shared, digest, now, change)?,
                false => table.look(shared, digest, now, change)?,
            };
            Ok((*digest, left))
        };
        let end = next_multiple(now, NAMES_WINDOW);
        let ends = (now, end);
        let (digest, left) = names::resolve((table, shared), charge, ends, write, &mut attempt)?;
        // Whoever only looked gives nothing back.
        let amount = if write { amount } else { 0 };
        if write {
            let mut all = self.held.borrow_mut();
            let held = all.entry(digest).or_insert(Held { amount: 0, lease });
            held.amount = held.amount.saturating_add(amount);
        }
        Ok(Slot {
            all: Rc::clone(self),
            digest,
            amount,
            left,
            limit: charge.limit,
        })
    }

    fn of(&self, digest: &Digest) -> Option<Held> {
        self.held.borrow().get(digest).copied()
    }

    /// The time between two renewals, as long as something is held.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        let held = self.held.borrow();
        let leases = held.values().map(|held| held.lease);
        leases.min().map(|lease| lease / RENEWALS)
    }

    /// Renews all rows at `now` (since 1970), and forgets what is held no more.
    pub fn renew(&self, table: &Table, shared: &dyn Shared, now: Duration) {
        let all: Vec<Digest> = self.held.borrow().keys().copied().collect();
        for digest in all {
            // What can't be written is tried again the next time.
            let _ = self.write(table, shared, &digest, milliseconds(now));
        }
    }

    /// Writes what is held of a count.
    fn write(
        &self,
        table: &Table,
        shared: &dyn Shared,
        digest: &Digest,
        now: u64,
    ) -> Result<(), ChargeError> {
        let Some(held) = self.of(digest) else {
            return Ok(());
        };
        table.update(shared, digest, now, |cell| {
            let rows = self.others(cell.get(Kind::Count, digest), now);
            let own = (held.amount, held.lease);
            self.put(cell, digest, rows, own, now)
                .map_err(ChargeError::from)
        })?;
        if held.amount == 0 {
            self.held.borrow_mut().remove(digest);
        }
        Ok(())
    }

    /// The living rows of other VMs.
    fn others(&self, found: Option<Entry<'_>>, now: u64) -> Vec<Row> {
        let payload = found.map_or(&[][..], |entry| entry.payload);
        let (rows, _) = payload.as_chunks::<ROW_BYTES>();
        let rows = rows.iter().map(|bytes| {
            let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
            Row {
                vm: u32::from_le_bytes([a, b, c, d]),
                amount: u32::from_le_bytes([e, f, g, h]),
                until: u32::from_le_bytes([i, j, k, l]),
            }
        });
        let own = self.vm.get().copied();
        let lives = |row: &Row| Some(row.vm) != own && u64::from(row.until) > now / 1000;
        rows.filter(lives).collect()
    }

    /// Puts in what others hold and what this VM does.
    fn put(
        &self,
        cell: &mut Cell,
        digest: &Digest,
        mut rows: Vec<Row>,
        (amount, lease): (u32, Duration),
        now: u64,
    ) -> Result<(), Full> {
        if amount > 0 {
            let until = now.saturating_add(milliseconds(lease)).div_ceil(1000);
            rows.push(Row {
                vm: self.vm.get().copied().unwrap_or_default(),
                amount,
                until: u32::try_from(until).unwrap_or(u32::MAX),
            });
        }
        let Some(last) = rows.iter().map(|row| row.until).max() else {
            cell.remove(Kind::Count, digest);
            return Ok(());
        };
        let mut payload = Vec::with_capacity(rows.len().saturating_mul(ROW_BYTES));
        for row in rows {
            for number in [row.vm, row.amount, row.until] {
                payload.extend_from_slice(&number.to_le_bytes());
            }
        }
        cell.put(&Entry {
            kind: Kind::Count,
            digest,
            expiry: u64::from(last).saturating_mul(1000),
            payload: &payload,
        })
    }
}

impl Slot {
    /// How much is held.
    #[must_use]
    pub fn amount(&self) -> u64 {
        u64::from(self.amount)
    }

    /// How much was left once it was held.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// How much there may be.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether it is held for a charge of what its inventor's further names have in common.
    #[must_use]
    pub fn is_of_others(&self, table: &Table, charge: &Charge<'_>) -> bool {
        charge.inventor.is_some() && self.digest != charge.digest(table)
    }

    /// Gives it back at `now` (since 1970).
    pub fn release(mut self, table: &Table, shared: &dyn Shared, now: Duration) {
        self.let_go();
        // What can't be written now is written with the next renewal.
        let all = Rc::clone(&self.all);
        let _ = all.write(table, shared, &self.digest, milliseconds(now));
    }

    fn let_go(&mut self) {
        let amount = core::mem::take(&mut self.amount);
        if let Ok(mut held) = self.all.held.try_borrow_mut()
            && let Some(held) = held.get_mut(&self.digest)
        {
            held.amount = held.amount.saturating_sub(amount);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.let_go();
    }
}
