//! Word lists of the policy's own.
//!
//! A word or phrase is matched whole and without regard to ASCII case; of several that begin at
//! the same place the longest is taken. Whole means: where the word begins or ends with a letter,
//! digit or `_`, none of these stands next to it. Only ASCII counts: in scripts without spaces a
//! word stands between other letters.
//!
//! So a word that begins with a letter, digit or `_` can only stand where a run of those begins
//! in the text, and that run is the one that the word begins with: its *head*. A text is looked
//! up by the hashes of its runs, one bit for each, and only where that bit is set are words
//! compared ([`list`]). Words that begin with anything else are looked up by their first one to
//! three characters.
//!
//! Bound: the longest word, at most 4096 bytes, or twelve bytes, and one byte to see the end.

mod list;

#[cfg(test)]
mod tests;

use super::detect::word_byte;
use super::group::{Answer, Group, Known};
use crate::prefilter::Anchors;
use crate::window::{Miss, Window};
use list::{Hash, List};

/// All word lists of a mask.
pub(crate) struct Words {
    /// In the order of the ranks.
    lists: Vec<(usize, List)>,
}

impl Words {
    /// Takes the lists with their ranks.
    ///
    /// # Errors
    /// The rank of a list with an empty word, or one that is too long; the text says which.
    pub(crate) fn new(lists: &[(usize, &[String])]) -> Result<Self, (usize, String)> {
        let lists = lists.iter().map(|(rank, words)| {
            let list = List::new(words).map_err(|reason| (*rank, reason))?;
            Ok((*rank, list))
        });
        let mut lists = lists.collect::<Result<Vec<_>, _>>()?;
        base::sort::sort_by_key(&mut lists, |(rank, _)| *rank);
        Ok(Self { lists })
    }

    /// Whether a word may begin with this run of word bytes, behind which the text is not known if
    /// it is `open`.
    fn run_begins(&self, run: &[u8], hash: Hash, open: bool) -> bool {
        let mut lists = self.lists.iter();
        lists.any(|(_, list)| list.has(hash) || (open && list.may_become(run)))
    }
}

impl Group for Words {
    fn next(&self, known: &Known<'_>, from: usize, _: &mut Anchors) -> usize {
        let Known { bytes, last, .. } = *known;
        let behind = known.behind.then(bytes, from);
        let mut edge = !behind.denoted().is_some_and(word_byte);
        let mut escape = behind.byte() == Some(b'\\');
        let mut at = from;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(first) = rest.first().copied() else {
                return bytes.len();
            };
            if !word_byte(first) {
                #[cfg(test)]
                crate::window::steps::add(1);
                let mut lists = self.lists.iter();
                if lists.any(|(_, list)| list.character_begins(rest, last)) {
                    return at;
                }
                escape = first == b'\\';
                edge = true;
                at += 1;
                continue;
            }
            let mut hash = Hash::default();
            let mut len = 0;
            for byte in rest.iter().take_while(|byte| word_byte(**byte)) {
                hash.add(*byte);
                len += 1;
            }
            #[cfg(test)]
            crate::window::steps::add(len);
            let run = rest.get(..len).unwrap_or(rest);
            let open = !last && len == rest.len();
            if edge && self.run_begins(run, hash, open) {
                return at;
            }
            // Behind an escape such as `\n`, a word begins at its letter and after it.
            if edge && escape && matches!(first, b'n' | b'r' | b't') {
                at += 1;
            } else {
                at += len;
                edge = true;
            }
            escape = false;
        }
    }

    fn ask(&self, window: &Window<'_>, below: usize) -> Answer {
        for (rank, list) in &self.lists {
            if *rank >= below {
                break;
            }
            match list.find(window) {
                Ok(hit) => return Answer::Found(*rank, hit),
                Err(Miss::More) => return Answer::Open(*rank),
                Err(Miss::No) => {}
            }
        }
        Answer::Nothing
    }

    fn bound(&self) -> usize {
        let bounds = self.lists.iter().map(|(_, list)| list.bound());
        bounds.max().unwrap_or(0)
    }
}
