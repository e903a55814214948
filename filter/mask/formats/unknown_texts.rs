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
/// The shortest string that is taken for the beginning of the text so far: words begin like others.
const MIN_TEXT_BYTES: usize = 16;
/// The shortest string with a digit that is taken for a label: pieces of a number are like one another.
const MIN_LABEL_BYTES: usize = 20;
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

/// Whether a string that comes again says something of the events, rather than going on.
fn is_label(raw: &[u8]) -> bool {
    let letters = !raw.is_empty() && !raw.iter().any(u8::is_ascii_digit);
    (letters || raw.len() >= MIN_LABEL_BYTES) && has_words(raw)
}

/// Whether it is more than a line or an indentation.
fn has_words(raw: &[u8]) -> bool {
    raw.iter()
        .any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

/// How many bytes both begin with.
fn common(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
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
        if raw == last.raw && !last.so_far && is_label(raw) {
            return Relation::Whole;
        }
        let tells = last.so_far || (seen >= MIN_TEXT_BYTES && has_words(&last.raw));
        let goes_on = tells && raw.starts_with(&last.raw) && (last.so_far || raw.len() > seen);
        let rewritten = last.so_far && seen > 0 && 2 * common(raw, &last.raw) >= seen;
        let relation = if goes_on {
            // What was taken for pieces until now was the text so far each time.
            Relation::SoFar(if last.so_far || last.only { seen } else { 0 })
        } else if rewritten {
            Relation::SoFar(0)
        } else if raw.len() <= MAX_PIECE_BYTES && !hides() {
            last.only &= seen == 0;
            Relation::Piece
        } else {
            self.places.remove(id);
            return Relation::Whole;
        };
        last.so_far = matches!(relation, Relation::SoFar(_));
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
        let here = "It is said here,";
        let you = "It is said here, you";
        let both = "It is said here, you two";
        for (strings, expected) in [
            (&["Hel", "lo ", "you"][..], &[Piece, Piece, Piece][..]),
            (&["11", "11", "114"], &[Piece, Piece, Piece]),
            (&["4242", "4242", "4242"], &[Piece, Piece, Piece]),
            (&["main", "main", "main"], &[Piece, Whole, Whole]),
            (&["en", "en"], &[Piece, Whole]),
            (&[" data", " database", ": mail"], &[Piece, Piece, Piece]),
            (
                &["----------------", "--------------------"],
                &[Piece, Piece],
            ),
            (
                &[here, you, both, both],
                &[Piece, SoFar(16), SoFar(20), SoFar(24)],
            ),
            // It was none after all.
            (
                &[here, you, ": mail", " me"],
                &[Piece, SoFar(16), Piece, Piece],
            ),
            // The first ones are too short to tell.
            (
                &["It", "It is", here, you],
                &[Piece, Piece, Piece, SoFar(0)],
            ),
            // The end of the text so far was written anew.
            (
                &[here, "It is said here, y?", you],
                &[Piece, SoFar(16), SoFar(0)],
            ),
            (&["Hello", "by itself!", "Hello"], &[Piece, Whole, Piece]),
            (&["by itself!", here, you], &[Whole, Piece, SoFar(16)]),
            (&["", "a", ""], &[Piece, Piece, Piece]),
        ] {
            assert_eq!(relations(strings), expected, "{strings:?}");
        }
        let long = "x ".repeat(MAX_PIECE_BYTES);
        assert_eq!(relations(&[&long, "Hel"]), [Whole, Piece]);
        let more = format!("{long}more");
        let short = "x ".repeat(9);
        assert_eq!(
            relations(&[&short, &long, &more]),
            [Piece, SoFar(18), SoFar(long.len())]
        );
        let longest = "x ".repeat(MAX_SO_FAR_BYTES);
        assert_eq!(relations(&[&short, &longest]), [Piece, Whole]);
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
