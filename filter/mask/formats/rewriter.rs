//! One text on its way through the matcher, with the raw bytes that it was read from.
//!
//! The matcher sees decoded text and says which of it stays; what is written is raw. What it
//! decides of the piece that it is given is written straight from that piece ([`Fresh`]). What
//! waits stands in a queue of atoms ([`Undecided`]): raw bytes that are decided one by one, or
//! escapes that are decided whole. Each atom knows the place where it is written, so that a text
//! can be spread over several events.

mod decode;
mod fresh;
mod inner;
mod inside;
mod nested;
mod undecided;

#[cfg(test)]
mod tests;

use super::escape::{Unescape, Unit};
use super::findings::Findings;
use super::output::{Output, Place};
use super::writing::Writing;
use crate::{Matcher, Sink, Text};
use decode::Decoded;
use fresh::Fresh;
use inner::Inner;
use nested::Nested;
use undecided::Undecided;

/// The most bytes given to the matcher at a time, which bounds what is copied for it.
const MAX_CHUNK_BYTES: usize = 8 * 1024;

/// Carries the matcher's decisions to where they are written.
struct Decide<'a, 'f> {
    matching: &'a mut Option<usize>,
    undecided: &'a mut Undecided,
    fresh: Fresh<'f>,
    writing: Writing,
    out: &'a mut dyn Output,
    found: &'a mut Findings,
}

impl Decide<'_, '_> {
    /// Decides the next `len` decoded bytes: what waits first, and then of the piece.
    fn decide(&mut self, len: usize, kept: bool) {
        let rest = self.undecided.decide(len, kept, self.out);
        if rest > 0 {
            self.fresh.decide(rest, kept, self.out);
        }
    }
}

impl Sink for Decide<'_, '_> {
    fn keep(&mut self, len: usize) {
        *self.matching = None;
        self.decide(len, true);
    }

    fn replace(&mut self, len: usize, with: &str, detector: usize) {
        // A match of open length comes in as many calls as the pieces make of it.
        let further = self.matching.replace(detector) == Some(detector);
        if !further {
            self.found.counts.add(detector);
        }
        let place = self.undecided.place().unwrap_or(self.fresh.place());
        let mut bytes = Vec::with_capacity(with.len());
        self.writing.write(with, further, &mut bytes);
        self.out.write(place, &bytes);
        self.decide(len, false);
    }

    fn note(&mut self, pseudonym: &str, detector: &str, value: &[u8]) {
        self.found.note(pseudonym, detector, value);
    }

    fn takes_quotes(&self) -> bool {
        self.writing.takes_quotes()
    }
}

/// What a call on a [`Rewriter`] works with.
pub(super) struct Work<'a> {
    pub(super) matcher: &'a Matcher,
    pub(super) out: &'a mut dyn Output,
    pub(super) found: &'a mut Findings,
}

/// One text on its way through the matcher.
#[derive(Clone, Debug)]
pub(super) struct Rewriter {
    text: Text,
    /// The detector of the match that was decided last, if nothing was kept since.
    matching: Option<usize>,
    undecided: Undecided,
    unescape: Unescape,
    nested: Nested,
    inner: Inner,
    writing: Writing,
    /// How a text's replacements are written as long as it is not known to be JSON.
    usual: Writing,
    /// Room for what a piece with escapes reads as.
    piece: Decoded,
    /// The same for escapes that began in an earlier piece or are read twice.
    decoded: Vec<u8>,
}

/// Two that go on alike. What stands in the room for a piece is of no use to the next one.
impl PartialEq for Rewriter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
            && self.matching == other.matching
            && self.undecided == other.undecided
            && self.unescape == other.unescape
            && self.nested == other.nested
            && self.inner == other.inner
            && self.writing == other.writing
            && self.usual == other.usual
    }
}

impl Rewriter {
    /// A text that has not begun.
    pub(super) fn new(writing: Writing) -> Self {
        Self {
            text: Text::default(),
            matching: None,
            undecided: Undecided::default(),
            unescape: Unescape::default(),
            nested: Nested::default(),
            inner: Inner::default(),
            writing,
            usual: writing,
            piece: Decoded::default(),
            decoded: Vec::new(),
        }
    }

    /// Says which member of an object the text is, before it begins.
    pub(super) fn named(&mut self, name: &[u8]) {
        self.text.named(name);
    }

    /// How many raw bytes wait.
    pub(super) fn held(&self) -> usize {
        let text = self.undecided.held() + self.nested.held();
        text + self.unescape.held() + self.inner.held()
    }

    /// The first entry in which something waits.
    pub(super) fn waits_in(&self) -> Option<u64> {
        let first = self.undecided.place().or_else(|| self.nested.place());
        let first = first.or_else(|| self.inner.place());
        first.map(|place| place.entry)
    }

    /// Takes bytes that mean themselves.
    pub(super) fn plain(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        self.match_fresh(raw, Fresh::new(raw, raw.len(), &[], place), work);
    }

    /// Takes bytes that stay or go together and read as `decoded`.
    pub(super) fn whole(&mut self, raw: &[u8], decoded: &[u8], place: Place, work: &mut Work<'_>) {
        if !decoded.is_empty() {
            self.undecided
                .add(place, raw, decoded.len(), true, work.out);
            self.match_waiting(decoded, work);
        }
    }

    /// Takes a piece of a JSON string's content.
    pub(super) fn json(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        let mut rest = self.json_begins(raw, place, work);
        if self.inner.may_be_json() {
            self.json_inside(rest, place, work);
            return;
        }
        if self.writing == Writing::JsonInJson {
            self.json_in_json(rest, place, work);
            return;
        }
        // The end of an escape that began in an earlier piece.
        while self.unescape.held() > 0
            && let Some((byte, later)) = rest.split_first()
        {
            self.unescape_waiting(|unescape, emit| unescape.push(&[*byte], emit), place, work);
            rest = later;
        }
        if memchr::memchr(b'\\', rest).is_none() {
            if !rest.is_empty() {
                self.plain(rest, place, work);
            }
            return;
        }
        for chunk in rest.chunks(MAX_CHUNK_BYTES) {
            self.escaped(chunk, place, work);
        }
    }

    /// As [`Self::json`] for a string that holds JSON, whose escapes are read as well.
    fn json_in_json(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        let waits = self.unescape.held() + self.nested.held() > 0;
        if !waits && memchr::memchr(b'\\', raw).is_none() {
            if !raw.is_empty() {
                self.plain(raw, place, work);
            }
            return;
        }
        for chunk in raw.chunks(MAX_CHUNK_BYTES) {
            self.unescape_waiting(|unescape, emit| unescape.push(chunk, emit), place, work);
        }
    }

    /// Changes how replacements are written. Nothing may be undecided.
    pub(super) fn set_writing(&mut self, writing: Writing) {
        self.writing = writing;
        self.usual = writing;
    }

    /// Takes a piece of a JSON string's content that may begin in an escape only where a chunk
    /// before it has ended.
    fn escaped(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        if self.unescape.held() > 0 {
            self.unescape_waiting(|unescape, emit| unescape.push(raw, emit), place, work);
            return;
        }
        let mut piece = std::mem::take(&mut self.piece);
        piece.read(raw, &mut self.unescape);
        let (text, escapes) = piece.get();
        self.match_fresh(text, Fresh::new(raw, text.len(), escapes, place), work);
        self.piece = piece;
    }

    /// The JSON string ends here; its text may go on in another string.
    pub(super) fn end_string(&mut self, place: Place, work: &mut Work<'_>) {
        if self.unescape.held() == 0 {
            return;
        }
        if self.inner.may_be_json() || self.inner.is_unknown() {
            self.units_inside(|unescape, emit| unescape.finish(emit), place, work);
        } else {
            self.unescape_waiting(|unescape, emit| unescape.finish(emit), place, work);
        }
    }

    /// The text ends here. What comes next is a new one.
    pub(super) fn finish(&mut self, work: &mut Work<'_>) {
        self.end_inner(work);
        self.finish_text(work);
        self.inner = Inner::default();
        self.writing = self.usual;
    }

    /// What has come of the text ends here.
    fn finish_text(&mut self, work: &mut Work<'_>) {
        self.end_nested(work);
        let matcher = work.matcher;
        let (text, mut decide) = self.split(Fresh::default(), work);
        text.finish(matcher, &mut decide);
        *text = Text::default();
        self.matching = None;
    }

    /// Decides everything that waits; the text goes on.
    pub(super) fn force(&mut self, work: &mut Work<'_>) {
        // More of what is held may come: as a text, it is masked if it may become a match.
        if self.inner.place().is_some() {
            self.release_inner(work);
        }
        self.end_nested(work);
        let matcher = work.matcher;
        let (text, mut decide) = self.split(Fresh::default(), work);
        text.force(matcher, &mut decide);
    }

    /// Takes what `read` makes of bytes that are not all in the piece at hand.
    fn unescape_waiting(
        &mut self,
        read: impl FnOnce(&mut Unescape, &mut dyn FnMut(Unit<'_>)),
        place: Place,
        work: &mut Work<'_>,
    ) {
        let mut decoded = std::mem::take(&mut self.decoded);
        let undecided = &mut self.undecided;
        let nested = &mut self.nested;
        let twice = self.writing == Writing::JsonInJson;
        read(&mut self.unescape, &mut |unit| {
            if twice {
                nested.unit(&unit, place, (&mut *undecided, &mut decoded), work.out);
                return;
            }
            let (raw, bytes, whole) = match unit {
                Unit::Plain(bytes) => (bytes, bytes, false),
                Unit::Escape { raw, decoded } => (raw, decoded, true),
            };
            undecided.add(place, raw, bytes.len(), whole, work.out);
            decoded.extend_from_slice(bytes);
        });
        self.match_waiting(&decoded, work);
        decoded.clear();
        self.decoded = decoded;
    }

    /// What was held as the start of an inner escape is not one.
    fn end_nested(&mut self, work: &mut Work<'_>) {
        if self.nested.held() > 0 {
            let mut decoded = Vec::new();
            let target = (&mut self.undecided, &mut decoded);
            self.nested.end(target, work.out);
            self.match_waiting(&decoded, work);
        }
    }

    /// Gives the matcher bytes that stand in the queue of what is undecided.
    fn match_waiting(&mut self, decoded: &[u8], work: &mut Work<'_>) {
        if !decoded.is_empty() {
            let matcher = work.matcher;
            let (text, mut decide) = self.split(Fresh::default(), work);
            text.push(matcher, decoded, &mut decide);
        }
    }

    /// Gives the matcher a piece; what of it is undecided then goes to the queue.
    fn match_fresh(&mut self, decoded: &[u8], fresh: Fresh<'_>, work: &mut Work<'_>) {
        let matcher = work.matcher;
        let (text, mut decide) = self.split(fresh, work);
        text.push(matcher, decoded, &mut decide);
        let fresh = decide.fresh;
        self.undecided.take(fresh, work.out);
    }

    fn split<'a, 'f>(
        &'a mut self,
        fresh: Fresh<'f>,
        work: &'a mut Work<'_>,
    ) -> (&'a mut Text, Decide<'a, 'f>) {
        let decide = Decide {
            matching: &mut self.matching,
            undecided: &mut self.undecided,
            fresh,
            writing: self.writing,
            out: &mut *work.out,
            found: &mut *work.found,
        };
        (&mut self.text, decide)
    }
}
