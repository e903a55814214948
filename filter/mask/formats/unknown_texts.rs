//! What a string is to the one that stood at its place in the event before.
//!
//! A string at the same place in successive events is taken for one text, piece by piece. What it may be
//! besides, only those before it tell:
//!
//! - the text so far (SGLang, and servers that show what a line has become): it begins with what stood
//!   there before. Each event then has what the last one came to, and what is new behind it.
//! - a label, the same in each event: that is a text of its own, and nothing has to wait for it.
//! - a record, written as the one before is: a time, a date, a decimal number. No token of a model is a
//!   whole one of these.
//!
//! A string that would hide a match, in itself or in front of it, by going on with what stands there is a
//! text of its own too: two records may have nothing to do with one another. So is a long one: what a
//! model says in one step is short.
//!
//! Of a text that a dialect knows to go on, the only question is whether its events have it in pieces, or
//! each of them as far as it has come. That, its first strings tell: once one of them doesn't begin with
//! the one in front of it, they are pieces, and nothing more is asked.

use std::collections::BTreeMap;

use super::text_id::Id;

/// The places that are followed at once. The one that has not come for longest is forgotten.
const MAX_PLACES: usize = 64;
/// The shortest string that is taken for the beginning of the text so far: words begin like others.
const MIN_TEXT_BYTES: usize = 16;
/// The shortest string with a digit that is taken for a label: pieces of a number are like one another.
const MIN_LABEL_BYTES: usize = 20;
/// A shorter one is a label where it comes so often that together they are more than any number is.
const MIN_REPEATED_BYTES: usize = 64;
/// The longest piece of a text.
const MAX_PIECE_BYTES: usize = 1024;
/// The longest text of which each event has all that there is so far.
const MAX_SO_FAR_BYTES: usize = 512 * 1024;
/// The longest string with which a text may begin that is known to go on, and that comes so far each time.
const MAX_FIRST_BYTES: usize = 16 * 1024;
/// No time, date or decimal number is longer.
const MAX_RECORD_BYTES: usize = 40;

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
    /// How often it has come one after the other, as long as nothing else has.
    times: usize,
    /// It is a label.
    label: bool,
    used: u64,
}

/// What a string is to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It goes on with it, or is the first.
    Piece,
    /// It goes on with it, and so will all that follow.
    Pieces,
    /// It is the same once more, or stands for itself.
    Whole,
    /// It is the text so far: so many bytes of it have been seen. With none, another text begins.
    SoFar(usize),
}

impl Last {
    fn first(raw: &[u8], used: u64) -> Self {
        Self {
            raw: raw.to_vec(),
            so_far: false,
            only: true,
            times: 1,
            label: false,
            used,
        }
    }

    /// Whether a string says something of the events, rather than going on: it is what all were until now.
    fn is_label(&self, raw: &[u8]) -> bool {
        if self.so_far || self.times == 0 || raw != self.raw {
            return false;
        }
        let letters = !raw.iter().any(u8::is_ascii_digit);
        let repeated = raw.len().saturating_mul(self.times) > MIN_REPEATED_BYTES;
        (letters || repeated || raw.len() >= MIN_LABEL_BYTES) && has_words(raw)
    }

    /// How much of a string that is the text so far has been seen; none where it isn't that.
    fn seen_of(&self, raw: &[u8]) -> Option<usize> {
        let seen = self.raw.len();
        let tells = self.so_far || (seen >= MIN_TEXT_BYTES && has_words(&self.raw));
        let longer = self.so_far || raw.len() > seen;
        let goes_on = tells && longer && raw.starts_with(&self.raw);
        goes_on.then(|| self.seen_so_far())
    }

    /// What was taken for pieces until now was the text so far each time; only if there was one, it was
    /// read as such.
    fn seen_so_far(&self) -> usize {
        if self.so_far || self.only {
            self.raw.len()
        } else {
            0
        }
    }

    /// Whether most of the text so far is still there, though its end was written anew.
    fn is_rewritten_in(&self, raw: &[u8]) -> bool {
        let seen = self.raw.len();
        self.so_far && seen > 0 && 2 * common(raw, &self.raw) >= seen
    }

    /// Another string takes its place; if it begins with this one, that much is there already.
    fn put(&mut self, raw: &[u8], relation: Relation) {
        let seen = match relation {
            Relation::SoFar(seen) if seen == self.raw.len() => seen,
            _ => 0,
        };
        self.raw.truncate(seen);
        self.raw
            .extend_from_slice(raw.get(seen..).unwrap_or_default());
    }
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

/// Whether both are times, dates or decimal numbers, written in the same way.
fn are_records(one: &[u8], other: &[u8]) -> bool {
    let shape = record_shape(one);
    shape.is_some() && shape == record_shape(other)
}

/// A time, a date or a decimal number with a 0 for each of its digits.
fn record_shape(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.len() > MAX_RECORD_BYTES {
        return None;
    }
    let timed = raw.contains(&b':');
    let fits = |byte: &u8| match byte {
        b'0'..=b'9' | b':' | b'-' | b'/' | b'.' => true,
        b'T' | b'Z' | b' ' | b'+' | b',' => timed,
        _ => false,
    };
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let ends = digit(raw.last()) || (timed && raw.last() == Some(&b'Z'));
    if !digit(raw.first()) || !ends || !raw.iter().all(fits) {
        return None;
    }
    // A number without a mark may be a piece of a longer one.
    if !raw.iter().any(|byte| b":-/.".contains(byte)) {
        return None;
    }
    // An hour has one digit or two.
    let hour = raw.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let skipped = usize::from(timed && hour == 2);
    let zero = |byte: &u8| if byte.is_ascii_digit() { b'0' } else { *byte };
    Some(raw.iter().skip(skipped).map(zero).collect())
}

impl UnknownTexts {
    /// Takes the next string at a place. `hides` is whether less is found where it goes on with what
    /// stands in front of it than in both.
    pub(super) fn take(&mut self, id: &Id, raw: &[u8], hides: impl FnOnce() -> bool) -> Relation {
        self.uses += 1;
        if raw.is_empty() {
            return Relation::Piece;
        }
        if raw.len() > MAX_SO_FAR_BYTES {
            self.places.remove(id);
            return Relation::Whole;
        }
        let used = self.uses;
        let Some(last) = self.places.get_mut(id) else {
            if raw.len() > MAX_PIECE_BYTES || hides() {
                return Relation::Whole;
            }
            self.begin(*id, raw);
            return Relation::Piece;
        };
        last.used = used;
        if last.is_label(raw) {
            last.times = last.times.saturating_add(1);
            last.label = true;
            last.only = false;
            return Relation::Whole;
        }
        let relation = if let Some(seen) = last.seen_of(raw) {
            Relation::SoFar(seen)
        } else if last.is_rewritten_in(raw) {
            Relation::SoFar(0)
        } else if are_records(&last.raw, raw) {
            last.times = 0;
            last.put(raw, Relation::Whole);
            return Relation::Whole;
        } else if raw.len() > MAX_PIECE_BYTES || hides() {
            self.places.remove(id);
            return Relation::Whole;
        } else if last.label {
            // Another one, or a text after all.
            *last = Last::first(raw, used);
            return Relation::Piece;
        } else {
            Relation::Piece
        };
        let repeated = last.raw == raw && last.times > 0;
        last.times = if repeated { last.times + 1 } else { 0 };
        last.only &= relation != Relation::Piece;
        last.so_far = relation != Relation::Piece;
        last.put(raw, relation);
        relation
    }

    /// As [`Self::take`], of a text that is known to go on, and of which something has come already if it
    /// has `begun`.
    pub(super) fn take_known(
        &mut self,
        id: &Id,
        raw: &[u8],
        begun: bool,
        hides: impl FnOnce() -> bool,
    ) -> Relation {
        if begun && !self.places.contains_key(id) {
            return Relation::Pieces;
        }
        if raw.is_empty() {
            return Relation::Piece;
        }
        self.uses += 1;
        let used = self.uses;
        let known = self.places.get_mut(id).filter(|last| begun || last.so_far);
        let Some(last) = known else {
            if raw.len() > MAX_FIRST_BYTES {
                self.places.remove(id);
                return Relation::Pieces;
            }
            self.begin(*id, raw);
            return Relation::Piece;
        };
        last.used = used;
        if raw.len() > MAX_SO_FAR_BYTES && last.so_far {
            last.raw.clear();
            return Relation::Whole;
        }
        let goes_on = raw.len() <= MAX_SO_FAR_BYTES && raw.starts_with(&last.raw);
        let relation = if let Some(seen) = last.seen_of(raw) {
            Relation::SoFar(seen)
        } else if last.is_rewritten_in(raw) {
            Relation::SoFar(0)
        } else if !goes_on && !last.so_far {
            self.places.remove(id);
            return Relation::Pieces;
        } else if goes_on && hides() {
            Relation::SoFar(last.seen_so_far())
        } else {
            // It may be either, still or again.
            last.only = false;
            Relation::Piece
        };
        last.so_far = relation != Relation::Piece;
        last.put(raw, relation);
        relation
    }

    fn begin(&mut self, id: Id, raw: &[u8]) {
        if self.places.len() >= MAX_PLACES && !self.places.contains_key(&id) {
            let oldest = self.places.iter().min_by_key(|(_, last)| last.used);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.places.remove(&oldest);
            }
        }
        self.places.insert(id, Last::first(raw, self.uses));
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
            (&["Hel", "lo", "lo"], &[Piece, Piece, Piece]),
            // Labels that change, and what is a text after all.
            (&["a", "a", "b", "b"], &[Piece, Whole, Piece, Whole]),
            (&["ha", "ha", "l", "l"], &[Piece, Whole, Piece, Whole]),
            (&["a1"; 3], &[Piece, Piece, Piece]),
            (
                &["a1b2c3d4e5f6"; 7],
                &[Piece, Piece, Piece, Piece, Piece, Piece, Whole],
            ),
            // Times, dates and decimal numbers, which are none of one text.
            (&["09:15", "9:30", "10:45"], &[Piece, Whole, Whole]),
            (&["1.5", "2.3", "2.25"], &[Piece, Whole, Piece]),
            (
                &["2026-01-01T09:15:00Z", "2026-01-02T10:30:00Z"],
                &[Piece, Whole],
            ),
            (&["192.168", ".1.1", "10.0"], &[Piece, Piece, Piece]),
            (&["4111", "1111"], &[Piece, Piece]),
            (&["4111-", "1111"], &[Piece, Piece]),
            (&["4111 1111", "1111 1111"], &[Piece, Piece]),
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
    fn what_is_known_to_go_on_may_come_so_far_each_time() {
        use Relation::{Piece, Pieces, SoFar, Whole};
        let here = "It is said here,";
        let you = "It is said here, you";
        let both = "It is said here, you two";
        for (strings, expected) in [
            (
                &["Hel", "lo ", here, you][..],
                &[Piece, Pieces, Pieces, Pieces][..],
            ),
            (&["", "Hel", "", "lo"], &[Piece, Piece, Piece, Pieces]),
            (
                &[here, you, both, both],
                &[Piece, SoFar(16), SoFar(20), SoFar(24)],
            ),
            (
                &["It", "It is", here, you],
                &[Piece, Piece, Piece, SoFar(0)],
            ),
            (
                &["It!", "It! is", "It! is so"],
                &[Piece, SoFar(3), SoFar(6)],
            ),
            (&["ha", "ha", "ha", "l"], &[Piece, Piece, Piece, Pieces]),
            // Another text at the same place, and one that was none of these.
            (
                &[
                    here,
                    you,
                    "Now",
                    "Now, this is a text",
                    "Now, this is a text too",
                ],
                &[Piece, SoFar(16), Piece, Piece, SoFar(0)],
            ),
            (
                &[here, you, " and", " so on", " so on!"],
                &[Piece, SoFar(16), Piece, Pieces, Pieces],
            ),
            (
                &[here, "It is said here, y?", you],
                &[Piece, SoFar(16), SoFar(0)],
            ),
        ] {
            let mut texts = UnknownTexts::default();
            let mut begun = false;
            let take = |raw: &&str| {
                let relation =
                    texts.take_known(&[7; 32], raw.as_bytes(), begun, || raw.contains('!'));
                begun |= !raw.is_empty();
                relation
            };
            let relations: Vec<Relation> = strings.iter().map(take).collect();
            assert_eq!(relations, expected, "{strings:?}");
        }
        let mut texts = UnknownTexts::default();
        let long = "x ".repeat(MAX_FIRST_BYTES);
        assert_eq!(
            texts.take_known(&[7; 32], long.as_bytes(), false, || false),
            Pieces
        );
        // One that has become too long to be kept is read anew each time.
        let longest = "x ".repeat(MAX_SO_FAR_BYTES);
        let mut take =
            |raw: &str, begun| texts.take_known(&[7; 32], raw.as_bytes(), begun, || false);
        assert_eq!(take("x x x x x x x x x ", false), Piece);
        assert_eq!(take(&long, true), SoFar(18));
        assert_eq!(take(&longest, true), Whole);
        assert_eq!(take(&longest, false), Whole);
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
