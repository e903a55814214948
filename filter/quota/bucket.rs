//! A bucket that leaks: what is taken fills it, and as much as the limit runs out in each window.
//!
//! So at most the burst and the limit pass in any span as long as the window. Its level is counted in
//! parts of which `per` milliseconds' worth are one of what the quota counts, and of which as many as
//! the limit run out in each millisecond: all of it in whole numbers, so that nothing leaks besides.
//!
//! An entry has the level and the time of it, and expires when the bucket is empty. Where a clock has
//! been put back, nothing runs out until it has come to that time again.

use super::taking::{Change, Short, Taken, Want, Written, number};
use crate::shared::Entry;

pub(super) struct Bucket {
    /// Parts of one.
    per: u64,
    /// Parts that run out in a millisecond.
    limit: u64,
    /// In parts.
    level: u64,
    /// The time of that, in milliseconds since 1970.
    last: u64,
}

impl Bucket {
    pub(super) fn read(per: u64, limit: u64, found: Option<Entry<'_>>, now: u64) -> Self {
        let (level, last) = found.map_or((0, now), |entry| {
            (number(entry.payload, 0), number(entry.payload, 8))
        });
        let passed = now.saturating_sub(last);
        Self {
            per,
            limit,
            level: level.saturating_sub(passed.saturating_mul(limit)),
            last: last.max(now),
        }
    }

    pub(super) fn take(mut self, want: &Want, burst: u64) -> Result<Taken, Short> {
        let brim = burst.saturating_mul(self.per);
        if let Some(room) = want.room {
            let over = room
                .saturating_mul(self.per)
                .saturating_add(self.level)
                .saturating_sub(brim);
            if over > 0 {
                let wait = over.div_ceil(self.limit.max(1));
                return Err(Short {
                    wait: self.last.saturating_add(wait).saturating_sub(want.now),
                    left: brim.saturating_sub(self.level) / self.per.max(1),
                });
            }
        }
        let more = want.amount.saturating_mul(self.per);
        self.level = self.level.saturating_add(more);
        let written = self.write();
        Ok(Taken {
            left: brim.saturating_sub(self.level) / self.per.max(1),
            at: self.last,
            until: written.expiry,
            written,
        })
    }

    /// Of what is given back, so much has run out by now as could have.
    pub(super) fn change(mut self, change: &Change) -> Option<Written> {
        if let Some(more) = change.instead.checked_sub(change.taken) {
            self.level = self.level.saturating_add(more.saturating_mul(self.per));
        } else {
            let less = change.taken.saturating_sub(change.instead);
            let passed = self.last.saturating_sub(change.at);
            let out = passed.saturating_mul(self.limit);
            let less = less.saturating_mul(self.per).saturating_sub(out);
            self.level = self.level.saturating_sub(less);
        }
        Some(self.write())
    }

    fn write(&self) -> Written {
        let empty = self.level.div_ceil(self.limit.max(1));
        let mut payload = self.level.to_le_bytes().to_vec();
        payload.extend_from_slice(&self.last.to_le_bytes());
        Written {
            expiry: self.last.saturating_add(empty),
            payload,
        }
    }
}
