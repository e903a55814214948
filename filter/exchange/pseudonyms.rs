//! The key of pseudonyms where the policy gives none: drawn once, and the same in every worker.
//!
//! The first worker that looks for it draws 32 random bytes and puts them where all the workers of
//! this Envoy read (see [`Board`]), by compare-and-set: of two that draw at once, one wins, and the
//! other takes what it finds. It stays there through new policies and crashed workers, and is gone
//! when Envoy ends: after that, and in another Envoy, the same value has another pseudonym. Where
//! it must not, the policy gives the key.

use crate::identity::Board;

/// The key's place on the board.
pub(super) const PLACE: &str = "portcullis.pseudonyms";

/// Bytes of a key.
const LENGTH: usize = 32;

/// Each time somebody else has changed the place; once there is a key, nobody does.
const MOST_TRIES: u32 = 100;

/// Gives the key that is there, or puts `fresh` there.
pub(super) fn agree(
    board: &dyn Board,
    fresh: Option<[u8; LENGTH]>,
) -> Result<[u8; LENGTH], &'static str> {
    for _ in 0..MOST_TRIES {
        let (value, change) = board
            .read(PLACE)
            .ok_or("what the workers share can't be read")?;
        if let Ok(key) = value.as_slice().try_into() {
            return Ok(key);
        }
        let fresh = fresh.ok_or("none could be drawn")?;
        if board.swap(PLACE, &fresh, change) {
            return Ok(fresh);
        }
    }
    Err("what the workers share can't be written")
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, PLACE, agree};
    use crate::identity::Board;
    use crate::testing::Memory;

    #[test]
    fn the_first_key_is_everybody_s() {
        let memory = Memory::default();
        memory.prepare([PLACE.to_owned()]);
        assert_eq!(agree(&memory, Some([1; LENGTH])), Ok([1; LENGTH]));
        assert_eq!(agree(&memory, Some([2; LENGTH])), Ok([1; LENGTH]));
        assert_eq!(agree(&memory, None), Ok([1; LENGTH]));
    }

    #[test]
    fn a_key_that_somebody_else_draws_meanwhile_is_taken() {
        /// Another worker draws between a look and a change.
        struct Raced(Memory);
        impl Board for Raced {
            fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
                self.0.read(name)
            }
            fn swap(&self, name: &str, value: &[u8], change: u32) -> bool {
                self.0.put(name.to_owned(), &[7; LENGTH]);
                self.0.swap(name, value, change)
            }
        }
        let memory = Memory::default();
        memory.prepare([PLACE.to_owned()]);
        assert_eq!(agree(&Raced(memory), Some([1; LENGTH])), Ok([7; LENGTH]));
    }

    #[test]
    fn without_randomness_or_a_place_there_is_no_key() {
        let memory = Memory::default();
        assert!(agree(&memory, Some([1; LENGTH])).is_err());
        memory.prepare([PLACE.to_owned()]);
        assert!(agree(&memory, None).is_err());
    }
}
