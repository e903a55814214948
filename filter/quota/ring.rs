//! A window that slides: a ring of twelve sub-windows and the one that runs.
//!
//! What is taken in one sub-window is one number, and beside it is when the last of it was taken. All of
//! it counts until that is as long ago as the window: so no span as long as the window ever has more
//! than the limit, and who is refused never waits for longer than the window. The price is that at a
//! steady pace some twelve thirteenths of the limit pass.
//!
//! An entry has thirteen numbers, the newest first, each as many bytes as the limit needs; then a byte for
//! each, which says in which 256th of its sub-window something was taken last. It expires when the newest
//! sub-window can't count any more; so its expiry also says which that is. It never goes back: where a
//! clock has been put back, what is taken goes into the newest sub-window.

use super::taking::{Change, Short, Taken, Want, Written};
use crate::shared::Entry;

/// Sub-windows of a ring.
const SLOTS: usize = 13;

/// The ages of sub-windows that the window may have left, although it touched them when this one began.
const OLD: [usize; 2] = [11, 12];

/// Parts of a sub-window that are told apart.
const PARTS: u64 = 256;

/// How many milliseconds too early somebody may be told to come again, so as not to be told to wait for
/// longer than a window because of the parts that a sub-window is told in.
const EARLY: u64 = 20;

pub(super) struct Ring {
    /// The length of the window in milliseconds, and of a sub-window, which is a twelfth, rounded up.
    per: u64,
    step: u64,
    /// The number of the newest sub-window, of all since 1970.
    newest: u64,
    /// What was taken, the newest first.
    counts: [u64; SLOTS],
    /// In which part of its sub-window each was taken last.
    lasts: [u8; SLOTS],
}

impl Ring {
    pub(super) fn read(per: u64, found: Option<Entry<'_>>, now: u64) -> Self {
        let step = per.div_ceil(12).max(1);
        let current = now / step;
        let mut ring = Self {
            per,
            step,
            newest: current,
            counts: [0; SLOTS],
            lasts: [0; SLOTS],
        };
        let Some(entry) = found else { return ring };
        let width = (entry.payload.len() / SLOTS).saturating_sub(1);
        ring.newest = (entry.expiry / ring.step).saturating_sub(13);
        let (counts, lasts) = entry
            .payload
            .split_at_checked(SLOTS.saturating_mul(width))
            .unwrap_or_default();
        for (count, bytes) in ring.counts.iter_mut().zip(counts.chunks(width.max(1))) {
            let mut eight = [0; 8];
            eight
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, from)| *to = *from);
            *count = u64::from_le_bytes(eight);
        }
        let both = ring.lasts.iter_mut().zip(lasts);
        both.for_each(|(to, from)| *to = *from);
        let passed = current.saturating_sub(ring.newest);
        ring.newest = ring.newest.max(current);
        let passed = usize::try_from(passed).unwrap_or(SLOTS).min(SLOTS);
        ring.counts.rotate_right(passed);
        ring.lasts.rotate_right(passed);
        for (count, last) in ring.counts.iter_mut().zip(&mut ring.lasts).take(passed) {
            (*count, *last) = (0, 0);
        }
        // The window may have slid past the last of what is in them.
        for age in OLD {
            if ring.free(age) <= now
                && let Some(count) = ring.counts.get_mut(age)
            {
                *count = 0;
            }
        }
        ring
    }

    /// From when on what was taken so many sub-windows ago counts no more.
    fn free(&self, age: usize) -> u64 {
        let last = self.lasts.get(age).copied().unwrap_or(u8::MAX);
        let parts = u64::from(last).saturating_add(1);
        // The last millisecond of that part.
        let offset = parts.saturating_mul(self.step).div_ceil(PARTS);
        let start = u64::try_from(age).unwrap_or(u64::MAX);
        let start = self.newest.saturating_sub(start).saturating_mul(self.step);
        start
            .saturating_add(offset.saturating_sub(1))
            .saturating_add(self.per)
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
        if want.amount > 0
            && let Some(last) = self.lasts.first_mut()
        {
            *last = (*last).max(part(want.now, self.newest, self.step));
        }
        let total = total.saturating_add(want.amount);
        Ok(Taken {
            left: want.limit.saturating_sub(total),
            at: self.newest,
            until: self.until(want.now),
            written: self.write(most),
        })
    }

    /// When nothing counts any more.
    fn until(&self, now: u64) -> u64 {
        let newest = self.counts.iter().position(|count| *count > 0);
        newest.map_or(now, |age| self.soon(self.free(age), now))
    }

    /// Until enough has fallen out, in milliseconds.
    fn wait(&self, room: u64, want: &Want) -> u64 {
        let mut left = self.total();
        let mut free = want.now;
        for (age, count) in self.counts.iter().enumerate().rev() {
            if left.saturating_add(room) <= want.limit {
                break;
            }
            if *count > 0 {
                left = left.saturating_sub(*count);
                free = self.free(age);
            }
        }
        self.soon(free, want.now).saturating_sub(want.now)
    }

    /// A time that is told: no later than a window from now, where that is a few milliseconds early.
    fn soon(&self, free: u64, now: u64) -> u64 {
        let whole = now.saturating_add(self.per);
        match free.saturating_sub(whole) {
            0..=EARLY => free.min(whole),
            _ => free,
        }
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
        let mut payload = Vec::with_capacity(SLOTS.saturating_mul(width.saturating_add(1)));
        for count in self.counts {
            let bytes = count.min(highest(most)).to_le_bytes();
            payload.extend(bytes.into_iter().take(width));
        }
        payload.extend_from_slice(&self.lasts);
        Written {
            expiry: self.newest.saturating_add(13).saturating_mul(self.step),
            payload,
        }
    }
}

/// In which part of the newest sub-window `now` lies; in its first, if the clock was put back.
fn part(now: u64, newest: u64, step: u64) -> u8 {
    let offset = now.saturating_sub(newest.saturating_mul(step));
    let part = offset.saturating_mul(PARTS) / step.max(1);
    u8::try_from(part).unwrap_or(u8::MAX)
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
