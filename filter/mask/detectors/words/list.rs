//! One word list, in little more memory than its letters.
//!
//! The words stand one behind the other, in lower case and grouped in buckets by the hash of what
//! they are looked up by. Within a bucket they are sorted, and the range of those that agree with
//! the text gets narrower with every byte. Nothing is sorted but the few words of a bucket, so a
//! hundred thousand words are ready in some milliseconds.

use crate::detectors::detect::{hit, word_byte};
use crate::window::{Hit, Miss, Window};

const MAX_WORD_BYTES: usize = 4096;
/// Words that don't begin with a word byte are looked up by at most this many characters.
const KEY_CHARACTERS: usize = 3;
/// How many leading bytes decide whether a run may become the head of a word.
const BEGINNING_BYTES: usize = 4;
const BEGINNING_BITS: u32 = 17;

/// The hash of some bytes, the same for both cases of a letter.
#[derive(Clone, Copy)]
pub(super) struct Hash(u32);

impl Default for Hash {
    fn default() -> Self {
        Self(0x811c_9dc5)
    }
}

impl Hash {
    pub(super) fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u32::from(byte | 0x20)).wrapping_mul(0x0100_0193);
    }

    fn of(bytes: &[u8]) -> Self {
        let mut hash = Self::default();
        bytes.iter().for_each(|byte| hash.add(*byte));
        hash
    }

    /// The hash, reduced to this many bits.
    fn bits(self, bits: u32) -> usize {
        let mixed = (self.0 ^ self.0 >> 15).wrapping_mul(0x2c1b_3c6d);
        let mixed = u64::from(mixed ^ mixed >> 13) >> (32 - bits.min(32));
        usize::try_from(mixed).unwrap_or(0)
    }
}

/// A set of hashes, which may seem to have some more.
struct Bits {
    bits: u32,
    words: Vec<u64>,
}

impl Bits {
    fn new(bits: u32) -> Self {
        Self {
            bits,
            words: vec![0; 1 << bits.saturating_sub(6)],
        }
    }

    fn insert(&mut self, hash: Hash) {
        let place = hash.bits(self.bits);
        if let Some(word) = self.words.get_mut(place >> 6) {
            *word |= 1 << (place & 63);
        }
    }

    fn has(&self, hash: Hash) -> bool {
        let place = hash.bits(self.bits);
        let word = self.words.get(place >> 6);
        word.is_some_and(|word| word >> (place & 63) & 1 == 1)
    }
}

pub(super) struct List {
    /// All words in lower case.
    letters: Vec<u8>,
    /// Where each word ends in them.
    ends: Vec<u32>,
    /// Of each bucket, how many words are in it and in those before it.
    buckets: Vec<u32>,
    /// The number of buckets is two to this power.
    bits: u32,
    /// What words are looked up by.
    keys: Bits,
    /// How heads begin, up to [`BEGINNING_BYTES`] bytes.
    beginnings: Bits,
    longest_head: usize,
    /// The first bytes of words that do not begin with a word byte.
    others: [bool; 256],
    /// Which numbers of characters, less one, such words are looked up by.
    characters: [bool; KEY_CHARACTERS],
    longest: usize,
}

/// What a word is looked up by.
fn key(word: &[u8]) -> &[u8] {
    let len = match word.first() {
        Some(first) if word_byte(*first) => head(word),
        _ => characters(word).last().unwrap_or(0),
    };
    word.get(..len).unwrap_or(word)
}

fn lower(word: &[u8]) -> impl Iterator<Item = u8> + '_ {
    word.iter().map(u8::to_ascii_lowercase)
}

fn head(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| word_byte(**byte)).count()
}

/// Where the first characters end, as far as their first bytes say.
fn characters(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    let ends = std::iter::from_fn(move || {
        at += match bytes.get(at)? {
            0xf0.. => 4,
            0xe0.. => 3,
            0xc0.. => 2,
            _ => 1,
        };
        Some(at)
    });
    ends.take(KEY_CHARACTERS)
}

impl List {
    /// # Errors
    /// An empty word, or one that is too long; the text says which.
    pub(super) fn new(words: &[String]) -> Result<Self, String> {
        for word in words {
            if word.is_empty() || word.len() > MAX_WORD_BYTES {
                return Err(format!(
                    "a word has {} bytes, but 1 to {MAX_WORD_BYTES} are possible",
                    word.len()
                ));
            }
        }
        let bits = (words.len() / 4).max(1).next_power_of_two().ilog2();
        let mut list = Self {
            letters: Vec::with_capacity(words.iter().map(String::len).sum()),
            ends: Vec::with_capacity(words.len()),
            buckets: Vec::with_capacity(1 << bits),
            bits,
            keys: Bits::new((bits + 5).min(26)),
            beginnings: Bits::new(BEGINNING_BITS),
            longest_head: 0,
            others: [false; 256],
            characters: [false; KEY_CHARACTERS],
            longest: words.iter().map(String::len).max().unwrap_or(0),
        };
        let too_many = |_| "all words together are too long".to_owned();
        let mut counts = vec![0_usize; (1 << bits) + 1];
        let mut keyed = Vec::with_capacity(words.len());
        for word in words {
            let word = word.as_bytes();
            let key = key(word);
            let hash = Hash::of(key);
            list.keys.insert(hash);
            list.note(word, key);
            let bucket = hash.bits(bits);
            keyed.push((bucket, word));
            if let Some(count) = counts.get_mut(bucket + 1) {
                *count += 1;
            }
        }
        let mut so_far = 0;
        for count in &mut counts {
            so_far += *count;
            *count = so_far;
        }
        // Each count is now where the next word of its bucket stands.
        let mut order: Vec<&[u8]> = vec![&[]; words.len()];
        for (bucket, word) in keyed {
            if let Some(place) = counts.get_mut(bucket) {
                if let Some(slot) = order.get_mut(*place) {
                    *slot = word;
                }
                *place += 1;
            }
        }
        let mut from = 0;
        for to in counts.into_iter().take(1 << bits) {
            let of_bucket = order.get_mut(from..to).unwrap_or_default();
            base::sort::sort_by(of_bucket, |one, other| lower(one).cmp(lower(other)));
            let mut last: &[u8] = &[];
            for word in of_bucket {
                if !last.eq_ignore_ascii_case(word) {
                    list.letters.extend(lower(word));
                    let end = u32::try_from(list.letters.len()).map_err(too_many)?;
                    list.ends.push(end);
                }
                last = word;
            }
            let end = u32::try_from(list.ends.len()).map_err(too_many)?;
            list.buckets.push(end);
            from = to;
        }
        Ok(list)
    }

    /// Notes how a word begins.
    fn note(&mut self, word: &[u8], key: &[u8]) {
        let Some(first) = word.first().copied() else {
            return;
        };
        if word_byte(first) {
            self.longest_head = self.longest_head.max(key.len());
            let mut hash = Hash::default();
            for byte in key.iter().take(BEGINNING_BYTES) {
                hash.add(*byte);
                self.beginnings.insert(hash);
            }
        } else {
            if let Some(other) = self.others.get_mut(usize::from(first)) {
                *other = true;
            }
            let count = characters(key).count();
            if let Some(used) = self.characters.get_mut(count.saturating_sub(1)) {
                *used = true;
            }
        }
    }

    /// Whether words are looked up by what has this hash.
    pub(super) fn has(&self, hash: Hash) -> bool {
        self.keys.has(hash)
    }

    /// Whether a run that begins like this may become the head of a word.
    pub(super) fn may_become(&self, run: &[u8]) -> bool {
        let beginning = run.get(..BEGINNING_BYTES).unwrap_or(run);
        run.len() <= self.longest_head && self.beginnings.has(Hash::of(beginning))
    }

    /// Whether a word may begin here that does not begin with a word byte.
    pub(super) fn character_begins(&self, bytes: &[u8], last: bool) -> bool {
        let first = bytes.first().copied().map_or(0, usize::from);
        if !self.others.get(first).copied().unwrap_or(false) {
            return false;
        }
        let mut ends = self.characters.iter().zip(characters(bytes));
        let known = ends.any(|(used, end)| {
            let key = bytes.get(..end);
            *used && key.map_or(!last, |key| self.has(Hash::of(key)))
        });
        known || (!last && characters(bytes).count() < KEY_CHARACTERS)
    }

    /// Looks for the longest word that begins at the window's first byte.
    ///
    /// # Errors
    /// [`Miss::No`] where there is none, [`Miss::More`] where that is open.
    pub(super) fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let first = window.at(0)?.ok_or(Miss::No)?;
        if word_byte(first) {
            if window.behind.denoted().is_some_and(word_byte) {
                return Err(Miss::No);
            }
            let run = match window.run(0, self.longest_head + 1, word_byte) {
                Ok(run) if run <= self.longest_head => run,
                Err(Miss::More) if self.may_become(window.bytes) => return Err(Miss::More),
                _ => return Err(Miss::No),
            };
            return self.longest(window, run);
        }
        if !self
            .others
            .get(usize::from(first))
            .copied()
            .unwrap_or(false)
        {
            return Err(Miss::No);
        }
        // The more characters a word is looked up by, the longer it is.
        let mut ends = Vec::with_capacity(KEY_CHARACTERS);
        for used in self.characters {
            let from = ends.last().map_or(0, |(_, end)| *end);
            let Some(lead) = window.at(from)? else { break };
            let Some(len) = characters(&[lead]).next() else {
                break;
            };
            if window.at(from + len - 1)?.is_none() {
                break;
            }
            ends.push((used, from + len));
        }
        for (_, end) in ends.into_iter().rev().filter(|(used, _)| *used) {
            match self.longest(window, end) {
                Err(Miss::No) => {}
                decided => return decided,
            }
        }
        Err(Miss::No)
    }

    /// Of the words that are looked up by the window's first `key` bytes, the longest that stands
    /// there.
    fn longest(&self, window: &Window<'_>, key: usize) -> Result<Hit, Miss> {
        let hash = Hash::of(window.slice(0, key));
        if !self.has(hash) {
            return Err(Miss::No);
        }
        let (mut from, mut to) = self.bucket(hash.bits(self.bits));
        let mut found = None;
        let mut depth = 0;
        while from < to {
            let next = window.at(depth)?;
            let word = self.word(from);
            if word.len() == depth {
                let inside = word.last().copied().is_some_and(word_byte);
                if !inside || !next.is_some_and(word_byte) {
                    found = Some(depth);
                }
                if to - from == 1 {
                    break;
                }
            }
            let Some(byte) = next else { break };
            (from, to) = self.narrow(from, to, depth, byte.to_ascii_lowercase());
            depth += 1;
        }
        // A bucket may have words that are looked up by less.
        found.filter(|len| *len >= key).map(hit).ok_or(Miss::No)
    }

    /// The range of the words of a bucket.
    fn bucket(&self, bucket: usize) -> (usize, usize) {
        let place = |index: Option<usize>| {
            let end = index.and_then(|index| self.buckets.get(index));
            end.and_then(|end| usize::try_from(*end).ok())
        };
        let from = place(bucket.checked_sub(1)).unwrap_or(0);
        (from, place(Some(bucket)).unwrap_or(from))
    }

    fn word(&self, index: usize) -> &[u8] {
        let end = |index: Option<usize>| {
            let end = index.and_then(|index| self.ends.get(index));
            end.and_then(|end| usize::try_from(*end).ok()).unwrap_or(0)
        };
        let from = end(index.checked_sub(1));
        self.letters.get(from..end(Some(index))).unwrap_or_default()
    }

    /// The words of a range that have `byte` behind the `depth` bytes in which all agree.
    fn narrow(&self, from: usize, to: usize, depth: usize, byte: u8) -> (usize, usize) {
        let first = |below: &dyn Fn(Option<&u8>) -> bool, from: usize| {
            let (mut from, mut to) = (from, to);
            while from < to {
                let middle = from.midpoint(to);
                if below(self.word(middle).get(depth)) {
                    from = middle + 1;
                } else {
                    to = middle;
                }
            }
            from
        };
        let from = first(&|at| at.is_none_or(|at| *at < byte), from);
        (from, first(&|at| at.is_none_or(|at| *at <= byte), from))
    }

    pub(super) fn bound(&self) -> usize {
        self.longest.max(4 * KEY_CHARACTERS) + 1
    }

    /// How many bytes of memory it has.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let bits = self.keys.words.capacity() + self.beginnings.words.capacity();
        let numbers = self.ends.capacity() + self.buckets.capacity();
        self.letters.capacity() + 4 * numbers + 8 * bits
    }
}
