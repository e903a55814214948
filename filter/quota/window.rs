//! How a quota's time goes on.

use core::time::Duration;

use super::bucket::Bucket;
use super::calendar::{self, Period};
use super::ring::Ring;
use super::taking::{Change, Short, Taken, Want, Written, milliseconds, next_multiple};
use crate::shared::Entry;

/// How a quota's time goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Any span as long as this may have as much as the limit.
    Sliding {
        /// The length in milliseconds.
        per: u64,
        /// The most that any caller may have, by which numbers are written.
        most: u64,
    },
    /// Each hour, day, week or month (UTC) has as much as the limit.
    Calendar(Period),
    /// What is taken comes back evenly, and so much at most can be taken at once.
    Bucket {
        /// The time in which as much as the limit comes back, in milliseconds.
        per: u64,
        /// What can be taken at once.
        burst: u64,
    },
}

impl Window {
    /// One that slides, for callers who may have so much at most.
    #[must_use]
    pub fn sliding(per: Duration, most: u64) -> Self {
        Self::Sliding {
            per: milliseconds(per).max(1),
            most,
        }
    }

    /// The most that can be taken at once.
    #[must_use]
    pub fn most_at_once(self, limit: u64) -> u64 {
        match self {
            Self::Bucket { burst, .. } if limit > 0 => burst,
            Self::Sliding { .. } | Self::Calendar(_) | Self::Bucket { .. } => limit,
        }
    }

    /// Takes something of a count, or says when it can be taken.
    pub(super) fn take(self, found: Option<Entry<'_>>, want: &Want) -> Result<Taken, Short> {
        match self {
            Self::Sliding { per, most } => Ring::read(per, found, want.now).take(want, most),
            Self::Calendar(period) => calendar::take(period, found, want),
            Self::Bucket { per, burst } => {
                Bucket::read(per, want.limit, found, want.now).take(want, burst)
            }
        }
    }

    /// Changes what was taken. `None` if that makes no difference any more.
    pub(super) fn change(self, found: Option<Entry<'_>>, change: &Change) -> Option<Written> {
        let found = found?;
        match self {
            Self::Sliding { per, most } => {
                Ring::read(per, Some(found), change.now).change(change, most)
            }
            Self::Calendar(_) => calendar::change(found, change),
            Self::Bucket { per, .. } => {
                Bucket::read(per, change.limit, Some(found), change.now).change(change)
            }
        }
    }

    /// When the fixed window ends that `now` lies in, in milliseconds since 1970: of windows as long
    /// as this one's, which begin at whole multiples of their length.
    pub(super) fn fixed_end(self, now: u64) -> u64 {
        match self {
            Self::Calendar(period) => period.end(now),
            Self::Sliding { per, .. } | Self::Bucket { per, .. } => next_multiple(now, per),
        }
    }
}
