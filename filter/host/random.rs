//! Randomness from the host.

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

/// `N` random bytes in hex; all zero should the host have none, which makes names less unique
/// and nothing less safe.
pub(super) fn hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    let _ = fill(&mut bytes);
    crate::config::hex(&bytes)
}

/// `N` random bytes, if the host has any.
pub(super) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes).ok().map(|()| bytes)
}
