//! Many strings that are looked for at once, in one pass over the bytes.
//!
//! Every so many bytes, four are looked up in a set of those that the strings have where such a place may
//! lie in them: as far apart as the shortest string lets them be, one of these places is in each
//! string that stands in the bytes. So it costs the same however many strings there are.
//!
//! Bytes hardly ever end with the front of a string, and their last four tell: they stand in one, or no more
//! than three bytes are such a front.

use std::collections::BTreeMap;

/// How many bytes are looked up.
const GRAM_BYTES: usize = 4;
/// Bits of a hash, and of the set that has each.
const HASH_BITS: u32 = 14;
const WORDS: usize = 1 << (HASH_BITS - 6);

/// Strings to look for, each of eight bytes or more.
#[derive(Default)]
pub(super) struct Needles {
    needles: Vec<Box<[u8]>>,
    /// How far apart places are.
    stride: usize,
    /// The length of the shortest.
    shortest: usize,
    /// The hashes of what stands at places.
    set: Set,
    /// The hashes of what stands anywhere.
    inside: Set,
    /// The first bytes, as bits.
    firsts: [u64; 4],
    /// What stands at places: which strings have it, and how far from their beginning.
    grams: BTreeMap<[u8; GRAM_BYTES], Vec<(usize, usize)>>,
}

impl Needles {
    pub(super) fn new(needles: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let needles = needles.into_iter().map(Vec::into_boxed_slice);
        let needles: Vec<Box<[u8]>> = needles.filter(|it| it.len() >= GRAM_BYTES).collect();
        let shortest = needles.iter().map(|it| it.len()).min().unwrap_or_default();
        let mut this = Self {
            stride: (shortest + 1).saturating_sub(GRAM_BYTES).max(1),
            shortest,
            ..Self::default()
        };
        for (index, needle) in needles.iter().enumerate() {
            let grams = needle.windows(GRAM_BYTES);
            let grams = grams.filter_map(<[u8]>::first_chunk);
            for (from, gram) in grams.enumerate() {
                this.inside.insert(*gram);
                if from < this.stride {
                    this.set.insert(*gram);
                    this.grams.entry(*gram).or_default().push((index, from));
                }
            }
            let first = needle.first().copied().unwrap_or_default();
            if let Some(word) = this.firsts.get_mut(usize::from(first >> 6)) {
                *word |= 1 << (first & 63);
            }
        }
        this.needles = needles;
        this
    }

    pub(super) fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// Tells of each place where one of the strings stands, from and to, as long as `found` says so.
    /// None that is told of later begins in front of one of another place.
    pub(super) fn find(&self, bytes: &[u8], mut found: impl FnMut(usize, usize) -> bool) {
        if bytes.len() < self.shortest || self.is_empty() {
            return;
        }
        let mut at = 0;
        while let Some(gram) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let mut goes_on = true;
            if self.set.has(*gram) {
                for (index, before) in self.grams.get(gram).into_iter().flatten() {
                    let needle = self.needles.get(*index).map_or(&[][..], |it| &**it);
                    let from = at.checked_sub(*before);
                    let stands = |from: &usize| {
                        let rest = bytes.get(*from..);
                        rest.is_some_and(|rest| rest.starts_with(needle))
                    };
                    if let Some(from) = from.filter(stands) {
                        goes_on &= found(from, from + needle.len());
                    }
                }
            }
            if !goes_on {
                return;
            }
            at += self.stride;
        }
    }

    /// Where the first of them begins; the bytes' length if there is none.
    pub(super) fn first(&self, bytes: &[u8]) -> usize {
        let mut first = bytes.len();
        self.find(bytes, |from, _| {
            first = first.min(from);
            false
        });
        first
    }

    /// Where one of them begins at the end of the bytes without being whole; their length if nowhere.
    pub(super) fn open_from(&self, bytes: &[u8]) -> usize {
        let last = bytes.last_chunk::<GRAM_BYTES>();
        if last.is_some_and(|last| self.inside.has(*last)) {
            let starts = self.needles.iter().map(|needle| open_from(needle, bytes));
            return starts.min().unwrap_or(bytes.len());
        }
        let from = bytes.len().saturating_sub(GRAM_BYTES - 1);
        let begins = |at: &usize| {
            let rest = bytes.get(*at..).unwrap_or_default();
            self.may_begin(rest) && self.needles.iter().any(|it| it.starts_with(rest))
        };
        let found = (from..bytes.len()).find(begins);
        found.unwrap_or(bytes.len())
    }

    /// Whether one of them begins with the first byte of these.
    fn may_begin(&self, bytes: &[u8]) -> bool {
        let first = bytes.first().copied().unwrap_or_default();
        let word = self.firsts.get(usize::from(first >> 6));
        word.is_some_and(|word| word & (1 << (first & 63)) != 0)
    }
}

/// Where a string begins at the end of the bytes without being whole; their length if nowhere.
fn open_from(needle: &[u8], bytes: &[u8]) -> usize {
    let Some(first) = needle.first() else {
        return bytes.len();
    };
    let from = bytes.len().saturating_sub(needle.len() - 1);
    let tail = bytes.get(from..).unwrap_or_default();
    let begins = |at: &usize| needle.starts_with(tail.get(*at..).unwrap_or_default());
    let at = memchr::memchr_iter(*first, tail).find(begins);
    at.map_or(bytes.len(), |at| from + at)
}

/// A set of hashes.
struct Set(Box<[u64]>);

impl Default for Set {
    fn default() -> Self {
        Self(vec![0; WORDS].into_boxed_slice())
    }
}

impl Set {
    fn insert(&mut self, gram: [u8; GRAM_BYTES]) {
        let (word, bit) = place(gram);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn has(&self, gram: [u8; GRAM_BYTES]) -> bool {
        let (word, bit) = place(gram);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// The word of the set that has what is looked up, and the bit in it.
fn place(gram: [u8; GRAM_BYTES]) -> (usize, u64) {
    // Knuth, "The Art of Computer Programming", volume 3, section 6.4.
    let hash = u32::from_le_bytes(gram).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS);
    let word = usize::try_from(hash >> 6).unwrap_or_default();
    (word, 1 << (hash & 63))
}
