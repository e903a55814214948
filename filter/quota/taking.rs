//! What is wanted of a count, and what comes of it, whatever its window is.

use core::time::Duration;

/// What somebody wants of a count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) amount: u64,
    /// How much must be left, the amount included; `None` takes the amount whatever is left.
    pub(super) room: Option<u64>,
    pub(super) limit: u64,
    /// In milliseconds since 1970.
    pub(super) now: u64,
}

/// How an entry is to be written.
pub(super) struct Written {
    pub(super) expiry: u64,
    pub(super) payload: Vec<u8>,
}

/// There is not enough.
pub(super) struct Short {
    /// In how many milliseconds there may be.
    pub(super) wait: u64,
    /// How much there is.
    pub(super) left: u64,
}

/// What comes of a want.
pub(super) struct Taken {
    pub(super) written: Written,
    /// How much is left behind it.
    pub(super) left: u64,
    /// The time that it was taken for, as the window counts time.
    pub(super) at: u64,
    /// When all is back that has been taken, in milliseconds since 1970.
    pub(super) until: u64,
}

/// What becomes of something that was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// The time that it was taken for.
    pub(super) at: u64,
    pub(super) taken: u64,
    /// What is taken instead.
    pub(super) instead: u64,
    pub(super) limit: u64,
    /// In milliseconds since 1970.
    pub(super) now: u64,
}

/// The first multiple of `length` behind `now`.
pub(super) fn next_multiple(now: u64, length: u64) -> u64 {
    let length = length.max(1);
    now.saturating_sub(now % length).saturating_add(length)
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Eight bytes of a payload, from a place on, as a number; 0 where there are none.
pub(super) fn number(payload: &[u8], at: usize) -> u64 {
    let bytes = payload.get(at..).and_then(|rest| rest.first_chunk());
    bytes.copied().map_or(0, u64::from_le_bytes)
}
