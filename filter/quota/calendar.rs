//! Windows of the calendar, in UTC: one number, which expires when the window ends.

use core::time::Duration;

use super::taking::{Change, Short, Taken, Want, Written, next_multiple, number};
use crate::shared::Entry;
use base::time::next_month;

/// A window of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday (ISO 8601).
    Week,
    /// From the first of a month to its last day.
    Month,
}

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// 1970 began on a Thursday, three days behind a Monday.
const MONDAY: u64 = 3 * DAY;

impl Period {
    /// When the one ends that `now` lies in, in milliseconds since 1970.
    pub(super) fn end(self, now: u64) -> u64 {
        match self {
            Self::Hour => next_multiple(now, HOUR),
            Self::Day => next_multiple(now, DAY),
            Self::Week => next_multiple(now.saturating_add(MONDAY), 7 * DAY).saturating_sub(MONDAY),
            Self::Month => next_month(Duration::from_millis(now))
                .as_secs()
                .saturating_mul(1000),
        }
    }
}

/// Where a clock has been put back, the later window still runs.
pub(super) fn take(period: Period, found: Option<Entry<'_>>, want: &Want) -> Result<Taken, Short> {
    let count = found.map_or(0, |entry| number(entry.payload, 0));
    let expiry = found.map_or_else(|| period.end(want.now), |entry| entry.expiry);
    if let Some(room) = want.room
        && count.saturating_add(room) > want.limit
    {
        return Err(Short {
            wait: expiry.saturating_sub(want.now),
            left: want.limit.saturating_sub(count),
        });
    }
    let total = count.saturating_add(want.amount);
    Ok(Taken {
        left: want.limit.saturating_sub(total),
        at: expiry,
        until: expiry,
        written: written(expiry, total),
    })
}

pub(super) fn change(found: Entry<'_>, change: &Change) -> Option<Written> {
    let count = number(found.payload, 0).saturating_sub(change.taken);
    let total = count.saturating_add(change.instead);
    (found.expiry == change.at).then(|| written(found.expiry, total))
}

fn written(expiry: u64, count: u64) -> Written {
    Written {
        expiry,
        payload: count.to_le_bytes().to_vec(),
    }
}
