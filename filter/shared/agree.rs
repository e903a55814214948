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

/// Counts the value of this name up, and gives what it is then, which nobody else is given: from 1.
///
/// # Errors
/// The name was not made, or other bytes are there.
pub fn next_number(shared: &dyn Shared, name: &str) -> Result<u32, NotAgreed> {
    for _ in 0..MAX_TRIES {
        let (value, version) = shared.get(name)?;
        let number = match value.as_slice() {
            [] => 0,
            bytes => u32::from_le_bytes(bytes.try_into().map_err(|_| NotAgreed::Foreign)?),
        };
        let next = number.checked_add(1).ok_or(NotAgreed::Foreign)?;
        if shared.compare_and_set(name, &next.to_le_bytes(), version)? {
            return Ok(next);
        }
    }
    Err(NotAgreed::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::{NotAgreed, agree, next_number};
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
    fn everybody_has_a_number_of_their_own() {
        let memory = Memory::with([NAME]);
        let numbers: Vec<_> = (0..3).map(|_| next_number(&memory, NAME)).collect();
        assert_eq!(numbers, [Ok(1), Ok(2), Ok(3)]);
        memory.put(NAME, b"something else");
        assert_eq!(next_number(&memory, NAME), Err(NotAgreed::Foreign));
        let unmade = next_number(&Memory::default(), NAME);
        assert_eq!(unmade, Err(NotAgreed::Unavailable));
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
