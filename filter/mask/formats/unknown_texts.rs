//! Strings of which no dialect says whether they go on.
//!
//! A string at the same place in successive events is taken for one text, piece by piece. Two things it
//! may be besides, which only the event before tells:
//!
//! - the text so far (SGLang, and servers that show what a line has become): it begins with what stood
//!   there before. Each event then has what the last one came to, and what is new behind it.
//! - a label, the same in each event: that is a text of its own, and nothing has to wait for it.
//!
//! A string that would hide a match, in itself or in front of it, by going on with what stands there is a
//! text of its own too: two records may have nothing to do with one another. So is a long one: what a
//! model says in one step is short.

use std::collections::BTreeMap;

use super::text_id::Id;

/// The places that are followed at once. The one that has not come for longest is forgotten.
const MAX_PLACES: usize = 64;
/// The shortest string that is taken for a label, or for the beginning of the text so far: pieces of a
/// number are like one another too.
const MIN_TELLING_BYTES: usize = 4;
/// The longest piece of a text.
const MAX_PIECE_BYTES: usize = 1024;
/// The longest text of which each event has all that there is so far.
const MAX_SO_FAR_BYTES: usize = 512 * 1024;

/// What has come at such places.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct UnknownTexts {
    places: BTreeMap<Id, Last>,
    uses: u64,
}

/// The last string at a place.
#[derive(Clone, Debug, PartialEq)]
struct Last {
    raw: Vec<u8>,
    /// Each is the text so far.
    so_far: bool,
    /// It is all that the text has had until now.
    only: bool,
    used: u64,
}

/// What a string is to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It goes on with it, or is the first.
    Piece,
    /// It is the same once more, or stands for itself.
    Whole,
    /// It is the text so far: so many bytes of it have been seen. With none, another text begins.
    SoFar(usize),
}

impl UnknownTexts {
    /// Takes the next string at a place. `hides` is whether less is found where it goes on with what
    /// stands in front of it than in both.
    pub(super) fn take(&mut self, id: &Id, raw: &[u8], hides: impl FnOnce() -> bool) -> Relation {
        self.uses += 1;
        if raw.len() > MAX_SO_FAR_BYTES {
            self.places.remove(id);
            return Relation::Whole;
        }
        let used = self.uses;
        let Some(last) = self.places.get_mut(id) else {
            let piece = raw.len() <= MAX_PIECE_BYTES && !hides();
            if piece {
                self.begin(*id, raw);
            }
            return if piece {
                Relation::Piece
            } else {
                Relation::Whole
            };
        };
        last.used = used;
        let seen = last.raw.len();
        let tells = last.so_far || seen >= MIN_TELLING_BYTES;
        let goes_on = tells && raw.starts_with(&last.raw);
        if goes_on && raw.len() == seen && !last.so_far {
            return Relation::Whole;
        }
        let relation = if goes_on {
            // What was taken for pieces until now was the text so far each time.
            Relation::SoFar(if last.so_far || last.only { seen } else { 0 })
        } else if last.so_far && !raw.is_empty() {
            Relation::SoFar(0)
        } else if raw.len() <= MAX_PIECE_BYTES && !hides() {
            last.only &= seen == 0;
            Relation::Piece
        } else {
            self.places.remove(id);
            return Relation::Whole;
        };
        last.so_far |= matches!(relation, Relation::SoFar(_));
        last.raw.clear();
        last.raw.extend_from_slice(raw);
        relation
    }

    fn begin(&mut self, id: Id, raw: &[u8]) {
        if self.places.len() >= MAX_PLACES {
            let oldest = self.places.iter().min_by_key(|(_, last)| last.used);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.places.remove(&oldest);
            }
        }
        let last = Last {
            raw: raw.to_vec(),
            so_far: false,
            only: true,
            used: self.uses,
        };
        self.places.insert(id, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of these strings is to those in front of it.
    fn relations(strings: &[&str]) -> Vec<Relation> {
        let mut texts = UnknownTexts::default();
        let take = |raw: &&str| texts.take(&[7; 32], raw.as_bytes(), || raw.contains('!'));
        strings.iter().map(take).collect()
    }

    #[test]
    fn a_string_is_told_by_the_one_before() {
        use Relation::{Piece, SoFar, Whole};
        for (strings, expected) in [
            (&["Hel", "lo ", "you"][..], &[Piece, Piece, Piece][..]),
            (&["11", "11", "114"], &[Piece, Piece, Piece]),
            (&["main", "main", "main"], &[Piece, Whole, Whole]),
            (
                &["Hello", "Hello you", "Hello you two"],
                &[Piece, SoFar(5), SoFar(9)],
            ),
            (
                &["Hello", "Hello you", "Hello you"],
                &[Piece, SoFar(5), SoFar(9)],
            ),
            // The first ones are too short to tell.
            (
                &["H", "He", "Hell", "Hello"],
                &[Piece, Piece, Piece, SoFar(0)],
            ),
            // The end of the text so far was written anew.
            (
                &["Hello", "Hello w?", "Hello wo"],
                &[Piece, SoFar(5), SoFar(0)],
            ),
            (&["Hello", "by itself!", "Hello"], &[Piece, Whole, Piece]),
            (
                &["by itself!", "Hello", "Hello you"],
                &[Whole, Piece, SoFar(5)],
            ),
            (&["", "a", ""], &[Piece, Piece, Piece]),
        ] {
            assert_eq!(relations(strings), expected, "{strings:?}");
        }
        let long = "x ".repeat(MAX_PIECE_BYTES);
        assert_eq!(relations(&[&long, "Hel"]), [Whole, Piece]);
        let more = format!("{long}more");
        assert_eq!(
            relations(&["x x ", &long, &more]),
            [Piece, SoFar(4), SoFar(long.len())]
        );
        let longest = "x ".repeat(MAX_SO_FAR_BYTES);
        assert_eq!(relations(&["x x ", &longest]), [Piece, Whole]);
    }

    #[test]
    fn few_places_are_followed() {
        let mut texts = UnknownTexts::default();
        for place in 0..200_u8 {
            texts.take(&[place; 32], b"Hello", || false);
        }
        assert_eq!(texts.places.len(), MAX_PLACES);
    }
}
