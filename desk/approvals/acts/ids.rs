//! New ids.

use crate::store::StoreError;

/// A random id: the prefix and 32 hex digits.
pub(super) fn new_id(prefix: &str) -> Result<String, StoreError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| StoreError::Random(error.to_string()))?;
    Ok(format!("{prefix}{:032x}", u128::from_be_bytes(random)))
}
