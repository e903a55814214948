//! A value that is the same in every worker: the first that looks for it draws it for all.
//!
//! Of two workers that draw at once, one wins by compare-and-set, and the other takes what it
//! finds. The value stays through new policies and crashed workers, and is gone when Envoy ends.

use core::fmt;

use super::{Shared, SharedError};

/// Each time somebody else has changed the value; once it is there, nobody does.
const MAX_TRIES: u32 = 100;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAgreed {
    /// None was there and none could be drawn.
    NotDrawn,
    /// What the workers share can't be read or written.
    Unavailable,
    /// Something else is there.
    Foreign,
}

impl fmt::Display for NotAgreed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotDrawn => "the host has no random numbers",
            Self::Unavailable => "what the workers share can't be read or written",
            Self::Foreign => "somebody else uses its place in what the workers share",
        })
    }
}

impl From<SharedError> for NotAgreed {
    fn from(_: SharedError) -> Self {
        Self::Unavailable
    }
}

/// Gives the value of this name, and makes it `fresh` if there is none.
///
/// # Errors
/// There is no value: the name was not made, there is nothing fresh, or other bytes are there.
pub fn agree<const BYTES: usize>(
    shared: &dyn Shared,
    name: &str,
    fresh: Option<[u8; BYTES]>,
) -> Result<[u8; BYTES], NotAgreed> {
    for _ in 0..MAX_TRIES {
        let (value, version) = shared.get(name)?;
        if !value.is_empty() {
            return value.as_slice().try_into().map_err(|_| NotAgreed::Foreign);
        }
        let fresh = fresh.ok_or(NotAgreed::NotDrawn)?;
        if shared.compare_and_set(name, &fresh, version)? {
            return Ok(fresh);
        }
    }
    Err(NotAgreed::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::{NotAgreed, agree};
    use crate::shared::{Shared, SharedError};
    use crate::testing::Memory;

    const NAME: &str = "key";

    #[test]
    fn the_first_key_is_everybody_s() {
        let memory = Memory::with([NAME]);
        assert_eq!(agree(&memory, NAME, Some([1; 32])), Ok([1; 32]));
        assert_eq!(agree(&memory, NAME, Some([2; 32])), Ok([1; 32]));
        assert_eq!(agree::<32>(&memory, NAME, None), Ok([1; 32]));
    }

    #[test]
    fn a_key_that_somebody_else_draws_meanwhile_is_taken() {
        /// Another worker draws between a look and a change.
        struct Raced(Memory);
        impl Shared for Raced {
            fn make(&self, name: &str) -> Result<(), SharedError> {
                self.0.make(name)
            }
            fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
                self.0.get(name)
            }
            fn compare_and_set(
                &self,
                name: &str,
                bytes: &[u8],
                version: u32,
            ) -> Result<bool, SharedError> {
                self.0.put(name, &[7; 32]);
                self.0.compare_and_set(name, bytes, version)
            }
        }
        let raced = Raced(Memory::with([NAME]));
        assert_eq!(agree(&raced, NAME, Some([1; 32])), Ok([7; 32]));
    }

    #[test]
    fn without_randomness_or_a_place_there_is_no_key() {
        let memory = Memory::default();
        let agreed = agree(&memory, NAME, Some([1; 32]));
        assert_eq!(agreed, Err(NotAgreed::Unavailable));
        memory.make(NAME).unwrap();
        assert_eq!(agree::<32>(&memory, NAME, None), Err(NotAgreed::NotDrawn));
        memory.put(NAME, b"something else");
        let agreed = agree(&memory, NAME, Some([1; 32]));
        assert_eq!(agreed, Err(NotAgreed::Foreign));
    }
}
