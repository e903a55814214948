//! Randomness from the host.

use core::cell::RefCell;
use core::num::NonZeroU32;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, size: usize) -> u32;
}

fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    // SAFETY: the pointer and length are those of a live slice.
    if unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) } == 0 {
        return Ok(());
    }
    Err(NonZeroU32::new(getrandom::Error::CUSTOM_START)
        .map_or(getrandom::Error::UNSUPPORTED, getrandom::Error::from))
}

getrandom::register_custom_getrandom!(fill);

/// `N` random bytes, if the host has any.
pub(super) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes).ok().map(|()| bytes)
}

/// Random bytes, fetched many at a time: the host takes as long for sixteen as for a thousand.
pub(super) struct Random {
    bytes: RefCell<Vec<u8>>,
}

const MANY: usize = 4096;

impl Random {
    pub(super) fn new() -> Self {
        Self {
            bytes: RefCell::new(Vec::new()),
        }
    }

    /// `N` random bytes in hex; all zero should the host have none, which makes names less unique
    /// and nothing less safe.
    pub(super) fn hex<const N: usize>(&self) -> String {
        let mut bytes = self.bytes.borrow_mut();
        if bytes.len() < N {
            *bytes = self::bytes::<MANY>()
                .map(Vec::from)
                .unwrap_or_else(|| vec![0; N]);
        }
        let rest = bytes.len().saturating_sub(N);
        crate::config::hex(&bytes.split_off(rest))
    }
}
