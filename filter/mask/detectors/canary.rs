//! Canary strings of the policy's own: strings planted in prompts, documents or weights that must
//! never appear.
//!
//! A canary is found anywhere, also inside words, whatever the case of its ASCII letters, and also
//! where white space, dashes or characters without width are put between its characters or left
//! out there: up to three bytes more at a place than the longest run of these that a canary of the
//! detector has itself. It is not found where its characters are replaced by others. Of several
//! that begin at the same place the longest is taken.
//!
//! Bound: for each of the at most 256 bytes of a canary at most fourteen, which is only reached by
//! canaries with long runs of spaces or dashes in them; without those it is six.

#[cfg(test)]
mod tests;

use super::detect::hit;
use super::group::{Answer, Group, Known};
use crate::prefilter::Anchors;
use crate::window::{Hit, Miss, Window};

/// How many bytes a canary has.
const MIN_CANARY_BYTES: usize = 8;
const MAX_CANARY_BYTES: usize = 256;
/// The most bytes of spaces and dashes in a row in a canary.
const MAX_GAP_BYTES: usize = 8;
/// How many bytes may be put in.
const MAX_ADDED_BYTES: usize = 3;

/// All canary detectors of a mask.
pub(crate) struct Canaries {
    /// In the order of the ranks.
    lists: Vec<(usize, List)>,
    /// What bytes canaries begin with.
    firsts: [bool; 256],
}

struct List {
    /// Without what may be put in, in lower case, sorted.
    strings: Vec<Box<[u8]>>,
    /// What two bytes they begin with, a bit for each pair.
    pairs: Vec<[u64; 4]>,
    /// The most bytes between two of theirs.
    gap: usize,
}

impl Canaries {
    /// Takes the lists with their ranks.
    ///
    /// # Errors
    /// The rank of a list with a string that cannot be used, and why.
    pub(crate) fn new(lists: &[(usize, &[String])]) -> Result<Self, (usize, String)> {
        let lists = lists.iter().map(|(rank, strings)| {
            let list = List::new(strings).map_err(|reason| (*rank, reason))?;
            Ok((*rank, list))
        });
        let mut lists = lists.collect::<Result<Vec<_>, _>>()?;
        base::sort::sort_by_key(&mut lists, |(rank, _)| *rank);
        let mut firsts = [false; 256];
        for (_, list) in &lists {
            for (first, row) in firsts.iter_mut().zip(&list.pairs) {
                *first |= *row != [0; 4];
            }
        }
        Ok(Self { lists, firsts })
    }
}

/// How many bytes the white space, dash or character without width has that begins here.
///
/// # Errors
/// [`Miss::More`] where that is not known yet.
fn filler(window: &Window<'_>, at: usize) -> Result<Option<usize>, Miss> {
    Ok(match window.at(at)? {
        Some(b'\t'..=b'\r' | b' ' | b'-') => Some(1),
        // A line break in JSON inside a string.
        Some(b'\\') => matches!(window.at(at + 1)?, Some(b'n' | b'r' | b't')).then_some(2),
        // U+00A0, the soft hyphen.
        Some(0xc2) => matches!(window.at(at + 1)?, Some(0xa0 | 0xad)).then_some(2),
        Some(lead @ (0xe2 | 0xe3 | 0xef)) => {
            let pair = (window.at(at + 1)?, window.at(at + 2)?);
            let found = match (lead, pair) {
                // Spaces, characters without width, dashes, line separators; the word joiner; the
                // minus.
                (0xe2, (Some(0x80), Some(0x80..=0x95 | 0xa8 | 0xa9 | 0xaf)))
                | (0xe2, (Some(0x81), Some(0x9f..=0xa4)))
                | (0xe2, (Some(0x88), Some(0x92)))
                | (0xe3, (Some(0x80), Some(0x80)))
                | (0xef, (Some(0xbb), Some(0xbf)))
                | (0xef, (Some(0xbc), Some(0x8d))) => true,
                _ => false,
            };
            found.then_some(3)
        }
        _ => None,
    })
}

/// A canary without its filler, and the longest run of filler in it, in bytes.
fn bare(string: &str) -> (Vec<u8>, usize) {
    let window = Window {
        behind: crate::window::Behind::default(),
        bytes: string.as_bytes(),
        last: true,
    };
    let (mut bare, mut gap, mut longest) = (Vec::new(), 0, 0);
    let mut at = 0;
    while let Some(byte) = string.as_bytes().get(at) {
        // A backslash that it has itself stays.
        let skip = filler(&window, at).ok().flatten();
        if let Some(len) = skip.filter(|_| *byte != b'\\') {
            gap += len;
            at += len;
            continue;
        }
        if !bare.is_empty() {
            longest = longest.max(gap);
        }
        gap = 0;
        bare.push(byte.to_ascii_lowercase());
        at += 1;
    }
    (bare, longest)
}

impl List {
    fn new(strings: &[String]) -> Result<Self, String> {
        let mut list = Self {
            strings: Vec::with_capacity(strings.len()),
            pairs: vec![[0; 4]; 256],
            gap: 0,
        };
        for string in strings {
            let (bare, gap) = bare(string);
            if string.len() > MAX_CANARY_BYTES || bare.len() < MIN_CANARY_BYTES {
                return Err(format!(
                    "a canary has {} bytes, {} of them neither white space nor dashes, but at most \
                     {MAX_CANARY_BYTES} and at least {MIN_CANARY_BYTES} are possible",
                    string.len(),
                    bare.len()
                ));
            }
            if gap > MAX_GAP_BYTES {
                return Err(format!(
                    "a canary has {gap} bytes of white space and dashes in a row, but \
                     {MAX_GAP_BYTES} is the most"
                ));
            }
            list.gap = list.gap.max(gap);
            if let [first, second, ..] = bare.as_slice() {
                for first in [first.to_ascii_uppercase(), *first] {
                    for second in [second.to_ascii_uppercase(), *second] {
                        let row = list.pairs.get_mut(usize::from(first));
                        let word = row.and_then(|row| row.get_mut(usize::from(second >> 6)));
                        if let Some(word) = word {
                            *word |= 1 << (second & 63);
                        }
                    }
                }
            }
            list.strings.push(bare.into());
        }
        list.gap += MAX_ADDED_BYTES;
        base::sort::sort(&mut list.strings);
        list.strings.dedup();
        Ok(list)
    }

    /// Whether a canary may begin with these two bytes.
    fn begins(&self, first: u8, second: u8) -> bool {
        let filler = matches!(second, b'\t'..=b'\r' | b' ' | b'-' | b'\\' | 0x80..);
        let row = self.pairs.get(usize::from(first));
        let word = row.and_then(|row| row.get(usize::from(second >> 6)));
        row.is_some_and(|row| *row != [0; 4])
            && (filler || word.is_some_and(|word| word >> (second & 63) & 1 == 1))
    }

    /// Looks for the longest canary that begins at the window's first byte.
    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let mut range = self.strings.as_slice();
        let mut found = None;
        let (mut depth, mut at) = (0, 0);
        loop {
            if range.first().is_some_and(|string| string.len() == depth) {
                found = Some(at);
                range = range.get(1..).unwrap_or_default();
            }
            if range.is_empty() {
                break;
            }
            let mut gap = 0;
            let narrower = loop {
                let Some(byte) = window.at(at + gap)? else {
                    break &[][..];
                };
                let narrower = narrow(range, depth, byte.to_ascii_lowercase());
                // What a canary has itself is not put in.
                if !narrower.is_empty() || depth == 0 {
                    break narrower;
                }
                match filler(window, at + gap)? {
                    Some(len) if gap + len <= self.gap => gap += len,
                    _ => break &[][..],
                }
            };
            range = narrower;
            at += gap + 1;
            depth += 1;
        }
        found.map(hit).ok_or(Miss::No)
    }

    fn bound(&self) -> usize {
        let longest = self.strings.iter().map(|string| string.len()).max();
        longest.unwrap_or(0) * (self.gap + 1) + MAX_ADDED_BYTES
    }
}

/// The strings of a sorted range that agree in all bytes before `depth` and have `byte` there.
fn narrow(range: &[Box<[u8]>], depth: usize, byte: u8) -> &[Box<[u8]>] {
    let from = range.partition_point(|string| string.get(depth).is_none_or(|b| *b < byte));
    let range = range.get(from..).unwrap_or_default();
    let to = range.partition_point(|string| string.get(depth) == Some(&byte));
    range.get(..to).unwrap_or_default()
}

impl Group for Canaries {
    fn next(&self, known: &Known<'_>, from: usize, _: &mut Anchors) -> usize {
        let rest = known.bytes.get(from..).unwrap_or_default();
        let begins = |first, second| {
            let mut lists = self.lists.iter();
            lists.any(|(_, list)| list.begins(first, second))
        };
        for (index, pair) in rest.windows(2).enumerate() {
            #[cfg(test)]
            crate::window::steps::add(1);
            if let [first, second] = *pair
                && self.firsts.get(usize::from(first)) == Some(&true)
                && begins(first, second)
            {
                return from + index;
            }
        }
        match rest.last() {
            // Behind it may come anything.
            Some(only) if !known.last && begins(*only, b' ') => known.bytes.len() - 1,
            _ => known.bytes.len(),
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
