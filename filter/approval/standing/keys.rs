//! Finds places in a list by what stands there. Texts that fall together here are told apart by what they say.

/// Finds places in a list by keys, several of which may be the same.
#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: Vec<u64>,
    /// For the low bits of keys, the first place, from 1; 0 where there is none.
    heads: Vec<u32>,
    /// For each place the next one in a chain.
    next: Vec<u32>,
}

impl Keys {
    #[inline(never)]
    pub(super) fn new(keys: Vec<u64>) -> Self {
        let mut heads = vec![0; keys.len().next_power_of_two()];
        let mut next = vec![0; keys.len()];
        for ((place, key), next) in (1_u32..).zip(&keys).zip(&mut next) {
            if let Some(head) = heads.get_mut(bucket(*key, keys.len())) {
                *next = core::mem::replace(head, place);
            }
        }
        Self { keys, heads, next }
    }

    /// The first place of a key.
    pub(super) fn first(&self, key: u64) -> Option<usize> {
        let head = self.heads.get(bucket(key, self.keys.len()))?;
        self.place(*head, key)
    }

    /// The place of the same key behind a place.
    pub(super) fn after(&self, place: usize) -> Option<usize> {
        self.place(*self.next.get(place)?, *self.keys.get(place)?)
    }

    /// The first place of a key in a chain.
    fn place(&self, mut at: u32, key: u64) -> Option<usize> {
        loop {
            let place = usize::try_from(at.checked_sub(1)?).ok()?;
            if self.keys.get(place) == Some(&key) {
                return Some(place);
            }
            at = *self.next.get(place)?;
        }
    }
}

/// The chain that a key is in, where there are so many keys.
fn bucket(key: u64, keys: usize) -> usize {
    let mixed = key ^ key >> 32;
    usize::try_from(mixed & 0xffff_ffff).unwrap_or_default() & (keys.next_power_of_two() - 1)
}

/// The key of a text.
#[inline(never)]
pub(super) fn key(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    let mut key = join(START, bytes.len() as u64);
    for word in words {
        key = join(key, u64::from_le_bytes(*word));
    }
    if rest.is_empty() {
        return key;
    }
    // Of a text that is longer than a word, the last word says what the rest is.
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let last = bytes.last_chunk::<8>().unwrap_or(&last);
    join(key, u64::from_le_bytes(*last))
}

/// The key of two things, one behind the other.
pub(super) fn join(key: u64, other: u64) -> u64 {
    (key.rotate_left(5) ^ other).wrapping_mul(ODD)
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// Multiplying by it spreads what is low over what is high.
const ODD: u64 = 0x517c_c1b7_2722_0a95;
