//! Word lists of the policy's own.
//!
//! A word or phrase is matched whole and without regard to ASCII case; of several that
//! begin at the same place the longest is taken. Whole means: where the word begins or
//! ends with a letter, digit or `_`, none of these stands next to it. Only ASCII counts:
//! in scripts without spaces a word stands between other letters.
//!
//! The words are sorted, and the range of those that agree with the text gets narrower
//! with every byte: thousands of words cost no more memory than their letters, and no more
//! time than a binary search where a word could begin.
//!
//! Bound: the longest word, at most 4096 bytes, and one byte to see the end.

use super::{Detect, Hit, Miss, Start, Window, hit};

const LONGEST: usize = 4096;

pub(in crate::mask) struct Words {
    /// In lower case, sorted, each once.
    words: Vec<Box<[u8]>>,
    longest: usize,
}

fn word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Words {
    /// # Errors
    /// An empty word, or one that is too long; the text says which.
    pub(in crate::mask) fn new(words: &[String]) -> Result<Self, String> {
        let mut sorted = Vec::with_capacity(words.len());
        for word in words {
            if word.is_empty() || word.len() > LONGEST {
                return Err(format!(
                    "a word has {} bytes, but 1 to {LONGEST} are possible",
                    word.len()
                ));
            }
            sorted.push(word.to_ascii_lowercase().into_bytes().into_boxed_slice());
        }
        sorted.sort_unstable();
        sorted.dedup();
        let longest = sorted.iter().map(|word| word.len()).max().unwrap_or(0);
        Ok(Self {
            words: sorted,
            longest,
        })
    }
}

/// The words of a sorted range that agree in all bytes before `depth` and have `byte` there.
fn narrow(range: &[Box<[u8]>], depth: usize, byte: u8) -> &[Box<[u8]>] {
    let from = range.partition_point(|word| word.get(depth).is_none_or(|b| *b < byte));
    let range = range.get(from..).unwrap_or_default();
    let to = range.partition_point(|word| word.get(depth) == Some(&byte));
    range.get(..to).unwrap_or_default()
}

impl Detect for Words {
    fn starts(&self, first: u8) -> Start {
        if narrow(&self.words, 0, first.to_ascii_lowercase()).is_empty() {
            Start::Never
        } else if first.is_ascii_alphanumeric() {
            Start::Edge
        } else {
            Start::Anywhere
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let first = window.at(0)?;
        if first.is_some_and(word_byte) && window.behind.denoted().is_some_and(word_byte) {
            return Err(Miss::No);
        }
        let mut range = self.words.as_slice();
        let mut found = None;
        let mut depth = 0;
        while !range.is_empty() {
            let next = window.at(depth)?;
            if let Some(word) = range.first().filter(|word| word.len() == depth) {
                let inside = word.last().copied().is_some_and(word_byte);
                if !inside || !next.is_some_and(word_byte) {
                    found = Some(depth);
                }
                if range.len() == 1 {
                    break;
                }
            }
            let Some(byte) = next else { break };
            range = narrow(range, depth, byte.to_ascii_lowercase());
            depth += 1;
        }
        found.map(hit).ok_or(Miss::No)
    }

    fn bound(&self) -> usize {
        self.longest + 1
    }
}
