//! A key that the workers of an Envoy draw together: the same in every worker.
//!
//! The first worker that looks for it draws random bytes and puts them where all the workers of
//! this Envoy read (see [`Board`]), by compare-and-set: of two that draw at once, one wins, and the
//! other takes what it finds. It stays there through new policies and crashed workers, and is gone
//! when Envoy ends.

use crate::identity::Board;

/// The place of the key of pseudonyms where the policy gives none. After Envoy's end, and in
/// another Envoy, the same value has another pseudonym; where it must not, the policy gives the key.
pub(super) const PSEUDONYMS: &str = "portcullis.pseudonyms";

/// The place of the key of the counts' places ([`crate::quota::Places`]).
pub(super) const COUNTS: &str = "portcullis.counts.key";

/// Each time somebody else has changed the place; once there is a key, nobody does.
const MAX_TRIES: u32 = 100;

/// Gives the key that is at `place`, or puts `fresh` there.
pub(super) fn key<const BYTES: usize>(
    board: &dyn Board,
    place: &str,
    fresh: Option<[u8; BYTES]>,
) -> Result<[u8; BYTES], &'static str> {
    for _ in 0..MAX_TRIES {
        let (value, change) = board
            .read(place)
            .ok_or("what the workers share can't be read")?;
        if let Ok(key) = value.as_slice().try_into() {
            return Ok(key);
        }
        let fresh = fresh.ok_or("none could be drawn")?;
        if board.swap(place, &fresh, change) {
            return Ok(fresh);
        }
    }
    Err("what the workers share can't be written")
}

#[cfg(test)]
mod tests {
    use super::{PSEUDONYMS, key};
    use crate::identity::Board;
    use crate::testing::Memory;

    #[test]
    fn the_first_key_is_everybody_s() {
        let memory = Memory::default();
        memory.prepare([PSEUDONYMS.to_owned()]);
        assert_eq!(key(&memory, PSEUDONYMS, Some([1; 32])), Ok([1; 32]));
        assert_eq!(key(&memory, PSEUDONYMS, Some([2; 32])), Ok([1; 32]));
        assert_eq!(key::<32>(&memory, PSEUDONYMS, None), Ok([1; 32]));
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
                self.0.put(name.to_owned(), &[7; 32]);
                self.0.swap(name, value, change)
            }
        }
        let memory = Memory::default();
        memory.prepare([PSEUDONYMS.to_owned()]);
        let agreed = key(&Raced(memory), PSEUDONYMS, Some([1; 32]));
        assert_eq!(agreed, Ok([7; 32]));
    }

    #[test]
    fn without_randomness_or_a_place_there_is_no_key() {
        let memory = Memory::default();
        assert!(key(&memory, PSEUDONYMS, Some([1; 32])).is_err());
        memory.prepare([PSEUDONYMS.to_owned()]);
        assert!(key::<32>(&memory, PSEUDONYMS, None).is_err());
    }
}
