//! A window that slides: a ring of twelve sub-windows and the one that runs.
//!
//! A span as long as the window touches at most thirteen sub-windows in a row, and no thirteen in a
//! row ever have more than the limit: the oldest is counted whole, although some of it lies outside.
//! The price is that at a steady pace twelve thirteenths of the limit pass.
//!
//! An entry has thirteen numbers, the newest first, each as many bytes as the limit needs. It expires
//! when the newest has fallen out; so its expiry also says which sub-window is the newest. That never
//! goes back: where a clock has been put back, what is taken goes into the newest sub-window.

use super::taking::{Change, Short, Taken, Want, Written};
use crate::shared::Entry;

/// Sub-windows of a ring.
const SLOTS: usize = 13;

pub(super) struct Ring {
    /// The length of a sub-window in milliseconds.
    step: u64,
    /// The number of the newest sub-window, of all since 1970.
    newest: u64,
    /// What was taken, the newest first.
    counts: [u64; SLOTS],
}

impl Ring {
    pub(super) fn read(step: u64, found: Option<Entry<'_>>, now: u64) -> Self {
        let current = now / step.max(1);
        let mut ring = Self {
            step: step.max(1),
            newest: current,
            counts: [0; SLOTS],
        };
        let Some(entry) = found else { return ring };
        let width = entry.payload.len() / SLOTS;
        ring.newest = (entry.expiry / ring.step).saturating_sub(13);
        for (count, bytes) in ring
            .counts
            .iter_mut()
            .zip(entry.payload.chunks(width.max(1)))
        {
            let mut eight = [0; 8];
            eight
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, from)| *to = *from);
            *count = u64::from_le_bytes(eight);
        }
        let passed = current.saturating_sub(ring.newest);
        ring.newest = ring.newest.max(current);
        let passed = usize::try_from(passed).unwrap_or(SLOTS).min(SLOTS);
        ring.counts.rotate_right(passed);
        ring.counts
            .iter_mut()
            .take(passed)
            .for_each(|count| *count = 0);
        ring
    }

    fn total(&self) -> u64 {
        let add = |sum: u64, count: &u64| sum.saturating_add(*count);
        self.counts.iter().fold(0, add)
    }

    pub(super) fn take(mut self, want: &Want, most: u64) -> Result<Taken, Short> {
        let total = self.total();
        if let Some(room) = want.room
            && total.saturating_add(room) > want.limit
        {
            return Err(Short {
                wait: self.wait(room, want),
                left: want.limit.saturating_sub(total),
            });
        }
        let highest = highest(most);
        if let Some(newest) = self.counts.first_mut() {
            // What is more than can be written is more than anybody may have.
            *newest = newest.saturating_add(want.amount).min(highest);
        }
        let total = total.saturating_add(want.amount);
        Ok(Taken {
            left: want.limit.saturating_sub(total),
            at: self.newest,
            written: self.write(most),
        })
    }

    /// Until enough has fallen out, in milliseconds.
    fn wait(&self, room: u64, want: &Want) -> u64 {
        let mut left = self.total();
        let mut next = self.newest;
        for count in self.counts.iter().rev() {
            left = left.saturating_sub(*count);
            next = next.saturating_add(1);
            if left.saturating_add(room) <= want.limit {
                break;
            }
        }
        next.saturating_mul(self.step).saturating_sub(want.now)
    }

    pub(super) fn change(mut self, change: &Change, most: u64) -> Option<Written> {
        let highest = highest(most);
        let age = usize::try_from(self.newest.checked_sub(change.at)?).ok()?;
        let count = self.counts.get_mut(age)?;
        // What can't be written whole stays, for nobody knows what is left of it.
        if *count < highest || change.instead > change.taken {
            let without = count.saturating_sub(change.taken);
            *count = without.saturating_add(change.instead).min(highest);
        }
        Some(self.write(most))
    }

    fn write(&self, most: u64) -> Written {
        let width = width(most);
        let mut payload = Vec::with_capacity(SLOTS.saturating_mul(width));
        for count in self.counts {
            let bytes = count.min(highest(most)).to_le_bytes();
            payload.extend(bytes.into_iter().take(width));
        }
        Written {
            expiry: self.newest.saturating_add(13).saturating_mul(self.step),
            payload,
        }
    }
}

/// Bytes of a number that can be so much.
fn width(most: u64) -> usize {
    match most {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// The highest number of that many bytes.
fn highest(most: u64) -> u64 {
    match width(most) {
        1 => 0xff,
        2 => 0xffff,
        4 => 0xffff_ffff,
        _ => u64::MAX,
    }
}
