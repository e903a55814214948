//! Randomness from the host.

use core::cell::RefCell;

use super::api::Host;

/// `N` random bytes, if the host has any.
pub(super) fn bytes<const N: usize>(host: &impl Host) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    host.random(&mut bytes).ok().map(|()| bytes)
}

/// Random bytes, fetched many at a time: the host takes as long for sixteen as for a thousand.
pub(super) struct Random {
    bytes: RefCell<Vec<u8>>,
}

const FETCHED_BYTES: usize = 4096;

impl Random {
    pub(super) fn new() -> Self {
        Self {
            bytes: RefCell::new(Vec::new()),
        }
    }

    /// `N` random bytes in hex; all zero should the host have none, which makes names less unique
    /// and nothing less safe.
    pub(super) fn hex<const N: usize>(&self, host: &impl Host) -> String {
        let mut bytes = self.bytes.borrow_mut();
        if bytes.len() < N {
            *bytes = self::bytes::<FETCHED_BYTES>(host)
                .map(Vec::from)
                .unwrap_or_else(|| vec![0; N]);
        }
        let rest = bytes.len().saturating_sub(N);
        base::bytes::hex(&bytes.split_off(rest))
    }
}
