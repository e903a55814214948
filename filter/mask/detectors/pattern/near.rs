//! Context words, one of which must precede a match.

use super::super::detect::word_byte;
use crate::window::{Behind, CONTEXT_BYTES};

/// Words, each in lower case. One of them must stand whole in the bytes in front; where there are
/// none, nothing must.
#[derive(Debug, Default)]
pub(super) struct Near(Vec<Box<[u8]>>);

impl Near {
    pub(super) fn new(words: &[String]) -> Self {
        let lower = words.iter().map(|word| word.to_ascii_lowercase());
        Self(lower.map(|word| word.into_bytes().into()).collect())
    }

    /// Whether one of the words stands in front. The match itself may follow on a word, and the
    /// end of what can be seen counts as an edge.
    pub(super) fn met(&self, behind: Behind<'_>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let mut room = [0; CONTEXT_BYTES];
        let mut len = 0;
        for (place, byte) in room.iter_mut().rev().zip(behind.backwards()) {
            *place = byte.to_ascii_lowercase();
            len += 1;
        }
        let text = room.get(CONTEXT_BYTES - len..).unwrap_or_default();
        self.0.iter().any(|word| stands(word, text))
    }
}

fn stands(word: &[u8], text: &[u8]) -> bool {
    let places = text.windows(word.len().max(1)).enumerate();
    let mut places = places.filter(|(_, window)| *window == word);
    places.any(|(at, _)| {
        let (front, rest) = text.split_at(at);
        let inside = match front {
            [.., b'\\', b'n' | b'r' | b't'] => false,
            [.., byte] => word_byte(*byte),
            [] => false,
        };
        let after = rest.get(word.len()).is_some_and(|byte| word_byte(*byte));
        let begins = word.first().is_some_and(|byte| word_byte(*byte));
        let ends = word.last().is_some_and(|byte| word_byte(*byte));
        !(begins && inside || ends && after)
    })
}
