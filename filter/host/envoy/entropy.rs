//! Where libraries get their randomness from.

use core::num::NonZeroU32;

use super::calls;

fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    calls::random(bytes).map_err(|_| {
        NonZeroU32::new(getrandom::Error::CUSTOM_START)
            .map_or(getrandom::Error::UNSUPPORTED, getrandom::Error::from)
    })
}

getrandom::register_custom_getrandom!(fill);
