//! The words in front of a match, which say more about what is uncertain.
//!
//! A vocabulary is written in lower case, with spaces between its entries. An entry stands
//! for itself, with a star at its end for every word that begins so, and with stars on both
//! sides for every word that it is a part of: scripts without spaces have no words of their
//! own.

use crate::window::{Behind, CONTEXT_BYTES};

/// Words to look for, found by their first byte.
pub(super) struct Vocabulary {
    by_first: Vec<Vec<&'static [u8]>>,
    parts: Vec<&'static [u8]>,
}

impl Vocabulary {
    pub(super) fn new(entries: &'static str) -> Self {
        let mut by_first = vec![Vec::new(); 256];
        let mut parts = Vec::new();
        for entry in entries.split_ascii_whitespace().map(str::as_bytes) {
            let Some(first) = entry.first() else { continue };
            if let [b'*', part @ .., b'*'] = entry {
                parts.push(part);
            } else if let Some(place) = by_first.get_mut(usize::from(*first)) {
                place.push(entry);
            }
        }
        Self { by_first, parts }
    }

    pub(super) fn has(&self, word: &[u8]) -> bool {
        let Some(first) = word.first() else {
            return false;
        };
        let fits = |entry: &&[u8]| match entry {
            [start @ .., b'*'] => word.starts_with(start),
            whole => word == *whole,
        };
        let within = |part: &&[u8]| word.windows(part.len()).any(|window| window == *part);
        let entries = self.by_first.get(usize::from(*first));
        entries.is_some_and(|entries| entries.iter().any(fits))
            || (!word.is_ascii() && self.parts.iter().any(within))
    }
}

/// At most [`CONTEXT_BYTES`] bytes in front of a position, in lower case, escapes such as `\n` read
/// as the spaces that they stand for.
pub(super) struct ContextWords {
    bytes: [u8; CONTEXT_BYTES],
    from: usize,
}

impl ContextWords {
    pub(super) fn new(behind: Behind<'_>) -> Self {
        let mut bytes = [b' '; CONTEXT_BYTES];
        let mut from = CONTEXT_BYTES;
        for (place, byte) in bytes.iter_mut().rev().zip(behind.backwards()) {
            *place = byte.to_ascii_lowercase();
            from -= 1;
        }
        let mut before = 0;
        for index in 1..CONTEXT_BYTES {
            let pair = bytes.get_mut(before..=index);
            if let Some([slash @ b'\\', letter @ (b'n' | b'r' | b't')]) = pair {
                (*slash, *letter) = (b' ', b'\n');
            }
            before = index;
        }
        Self { bytes, from }
    }

    /// Everything in front, as far as it is seen.
    pub(super) fn text(&self) -> &[u8] {
        self.bytes.get(self.from..).unwrap_or_default()
    }

    /// The words, the nearest first, each with what stands between it and the position.
    ///
    /// A word whose beginning may be out of sight is left out.
    pub(super) fn words(&self) -> impl Iterator<Item = Word<'_>> {
        let text = self.text();
        let mut end = text.len();
        std::iter::from_fn(move || {
            let head = text.get(..end)?;
            let last = head.iter().rposition(|b| is_word(*b))? + 1;
            let head = head.get(..last)?;
            let first = head
                .iter()
                .rposition(|b| !is_word(*b))
                .map_or(0, |at| at + 1);
            end = first;
            if first == 0 && text.len() == CONTEXT_BYTES {
                return None;
            }
            let glued = first > 0 && head.get(first - 1).is_some_and(u8::is_ascii_digit);
            Some(Word {
                word: head.get(first..)?,
                glued,
                between: text.get(last..)?,
            })
        })
    }

    /// Whether one of the `most` nearest words is in the vocabulary.
    pub(super) fn says(&self, most: usize, vocabulary: &Vocabulary) -> bool {
        let mut words = self.words().take(most);
        words.any(|one| vocabulary.has(one.word))
    }
}

/// One word in front of a position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    /// Its letters, in lower case where they are ASCII.
    pub word: &'a [u8],
    /// Whether a digit stands right in front of it.
    pub glued: bool,
    /// What stands between it and the position.
    pub between: &'a [u8],
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Past;

    fn front(text: &str) -> ContextWords {
        ContextWords::new(Past::default().behind().then(text.as_bytes(), text.len()))
    }

    fn words(text: &str) -> Vec<String> {
        front(text)
            .words()
            .map(|one| String::from_utf8(one.word.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn words_come_from_the_nearest_on() {
        assert_eq!(
            words("\\\"Phone_Number\\\":\\n+ Ext. "),
            ["ext", "number", "phone"]
        );
        assert_eq!(words("Téléphone 12: "), ["téléphone"]);
        assert!(words("").is_empty() && words(" 12: ").is_empty());
        let between = front("tel. 0: ").words().next().unwrap().between.to_vec();
        assert_eq!(between, b". 0: ");
    }

    #[test]
    fn a_word_that_may_be_cut_is_left_out() {
        let behind = |spaces: usize| words(&format!("a tel{}", " ".repeat(spaces)));
        assert_eq!(behind(CONTEXT_BYTES - 3), [""; 0]);
        assert_eq!(behind(CONTEXT_BYTES - 4), ["tel"]);
    }

    #[test]
    fn entries_fit_whole_or_as_their_stars_say() {
        let says = |text: &str, entry| front(text).says(8, &Vocabulary::new(entry));
        assert!(says("Tel: ", "tel") && !says("Tell ", "tel"));
        assert!(says("calling ", "call*") && !says("recall ", "call*"));
        assert!(says("我的电话是", "*电话*") && !says("我的电", "*电话*"));
        assert!(!front("phone a b ").says(2, &Vocabulary::new("phone")));
        assert!(says("phone ", "fax phone") && !says("fa ", "fax phone"));
    }
}
