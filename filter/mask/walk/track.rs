//! One text on its way through the matcher, with the raw bytes that it was read from.
//!
//! The matcher sees decoded text and says which of it stays; what is written is raw. Between
//! the two stands a queue of atoms: raw bytes that are decided one by one, or escapes that are
//! decided whole. Each atom knows the place where it is written, so that a text can be spread
//! over several events.

use std::collections::VecDeque;

use super::Counts;
use super::escape::{self, Unescape, Unit};
use crate::mask::{Engine, Sink, Text};

/// At most so many bytes go to the matcher at a time, which bounds what is copied for it.
const CHUNK: usize = 8 * 1024;

/// Where bytes are written: a part of an entry of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The entry, counted from the first ever.
    pub(super) entry: u64,
    /// The part within the entry.
    pub(super) part: usize,
}

/// Takes bytes as they are decided.
pub(super) trait Output {
    /// Something at `place` is undecided from now on.
    fn hold(&mut self, place: Place);
    /// Bytes for `place`, after those already written there.
    fn write(&mut self, place: Place, bytes: &[u8]);
    /// What [`Output::hold`] announced is decided.
    fn settle(&mut self, place: Place);
}

/// Writes one text after another, with no regard to places.
pub(super) struct Direct<'a>(pub(super) &'a mut Vec<u8>);

impl Output for Direct<'_> {
    fn hold(&mut self, _place: Place) {}

    fn write(&mut self, _place: Place, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn settle(&mut self, _place: Place) {}
}

/// What JSON may have outside its strings, and quotes.
const OF_JSON: &[u8] = b"{}[]:,\"+-.0123456789eEtruefalsn \t\r\n";

/// How a replacement is written, so that what is around it keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// Within a JSON string.
    Json,
    /// Within JSON that is none, outside strings: it must not become JSON.
    Stray,
    /// Within a line.
    Line,
    /// As it is.
    Raw,
}

impl Writing {
    /// Writes a replacement, or what is added to one as more of its match is seen (`further`).
    fn write(self, with: &str, further: bool, out: &mut Vec<u8>) {
        match self {
            Self::Json => escape::write(with, out),
            Self::Raw => out.extend_from_slice(with.as_bytes()),
            Self::Line => {
                out.extend(with.bytes().map(|byte| {
                    if matches!(byte, b'\r' | b'\n') {
                        b' '
                    } else {
                        byte
                    }
                }));
            }
            Self::Stray => {
                out.extend(
                    with.bytes()
                        .map(|byte| if byte == b'"' { b'\'' } else { byte }),
                );
                // Without a byte that JSON never has outside strings, the stray text's place
                // could be taken by a value.
                if !further && with.bytes().all(|byte| OF_JSON.contains(&byte)) {
                    out.push(b'*');
                }
            }
        }
    }
}

/// Undecided raw bytes that are decided together or one by one.
#[derive(Debug)]
struct Atom {
    place: Place,
    raw: usize,
    decoded: usize,
    /// All or nothing; otherwise each raw byte is a decoded one.
    whole: bool,
}

/// What the matcher has been given and not decided.
#[derive(Debug, Default)]
struct Undecided {
    raw: VecDeque<u8>,
    atoms: VecDeque<Atom>,
    /// How many decoded bytes of the first atom are decided, and whether one was replaced.
    seen: usize,
    replaced: bool,
}

impl Undecided {
    fn add(&mut self, place: Place, raw: &[u8], decoded: usize, whole: bool, out: &mut dyn Output) {
        self.raw.extend(raw);
        match self.atoms.back_mut() {
            Some(last) if !whole && !last.whole && last.place == place => {
                last.raw += raw.len();
                last.decoded += decoded;
            }
            _ => {
                out.hold(place);
                self.atoms.push_back(Atom {
                    place,
                    raw: raw.len(),
                    decoded,
                    whole,
                });
            }
        }
    }

    /// Decides the next `len` decoded bytes.
    fn decide(&mut self, mut len: usize, kept: bool, out: &mut dyn Output) {
        while len > 0 {
            let Some(atom) = self.atoms.front_mut() else {
                return;
            };
            let place = atom.place;
            let (taken, raw, write, over) = if atom.whole {
                let taken = len.min(atom.decoded.saturating_sub(self.seen));
                self.seen += taken;
                self.replaced |= !kept;
                let over = self.seen >= atom.decoded;
                (taken, if over { atom.raw } else { 0 }, !self.replaced, over)
            } else {
                let taken = len.min(atom.decoded);
                atom.decoded -= taken;
                atom.raw -= taken;
                (taken, taken, kept, atom.decoded == 0)
            };
            if write {
                let (head, tail) = self.raw.as_slices();
                let in_head = raw.min(head.len());
                out.write(place, head.get(..in_head).unwrap_or_default());
                if raw > in_head {
                    out.write(place, tail.get(..raw - in_head).unwrap_or_default());
                }
            }
            self.raw.drain(..raw.min(self.raw.len()));
            if over {
                self.atoms.pop_front();
                self.seen = 0;
                self.replaced = false;
                out.settle(place);
            }
            len -= taken;
        }
    }
}

/// Carries the matcher's decisions to where they are written.
struct Decide<'a> {
    matching: &'a mut Option<usize>,
    undecided: &'a mut Undecided,
    writing: Writing,
    out: &'a mut dyn Output,
    counts: &'a mut Counts,
}

impl Sink for Decide<'_> {
    fn keep(&mut self, len: usize) {
        *self.matching = None;
        self.undecided.decide(len, true, self.out);
    }

    fn replace(&mut self, len: usize, with: &str, detector: usize) {
        // A match of open length comes in as many calls as the pieces make of it.
        let further = self.matching.replace(detector) == Some(detector);
        if !further {
            self.counts.add(detector);
        }
        if let Some(first) = self.undecided.atoms.front() {
            let mut bytes = Vec::with_capacity(with.len());
            self.writing.write(with, further, &mut bytes);
            self.out.write(first.place, &bytes);
        }
        self.undecided.decide(len, false, self.out);
    }
}

/// What a call on a [`Track`] works with.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) out: &'a mut dyn Output,
    pub(super) counts: &'a mut Counts,
}

/// One text on its way through the matcher.
#[derive(Debug)]
pub(super) struct Track {
    text: Text,
    /// The detector of the match that was decided last, if nothing was kept since.
    matching: Option<usize>,
    undecided: Undecided,
    unescape: Unescape,
    writing: Writing,
    decoded: Vec<u8>,
}

impl Track {
    /// A text that has not begun.
    pub(super) fn new(writing: Writing) -> Self {
        Self {
            text: Text::default(),
            matching: None,
            undecided: Undecided::default(),
            unescape: Unescape::default(),
            writing,
            decoded: Vec::new(),
        }
    }

    /// How many raw bytes wait.
    pub(super) fn held(&self) -> usize {
        self.undecided.raw.len() + self.unescape.held()
    }

    /// The first entry in which something waits.
    pub(super) fn waits_in(&self) -> Option<u64> {
        self.undecided.atoms.front().map(|atom| atom.place.entry)
    }

    /// Takes bytes that mean themselves.
    pub(super) fn plain(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        for chunk in raw.chunks(CHUNK) {
            self.undecided
                .add(place, chunk, chunk.len(), false, work.out);
            self.match_piece(chunk, work);
        }
    }

    /// Takes bytes that stay or go together and read as `decoded`.
    pub(super) fn whole(&mut self, raw: &[u8], decoded: &[u8], place: Place, work: &mut Work<'_>) {
        if !decoded.is_empty() {
            self.undecided
                .add(place, raw, decoded.len(), true, work.out);
            self.match_piece(decoded, work);
        }
    }

    /// Takes a piece of a JSON string's content.
    pub(super) fn json(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        let mut unescape = std::mem::take(&mut self.unescape);
        for chunk in raw.chunks(CHUNK) {
            unescape.push(chunk, &mut |unit| self.unit(unit, place, work.out));
            self.match_decoded(work);
        }
        self.unescape = unescape;
    }

    /// The JSON string ends here; its text may go on in another string.
    pub(super) fn end_string(&mut self, place: Place, work: &mut Work<'_>) {
        let mut unescape = std::mem::take(&mut self.unescape);
        unescape.finish(&mut |unit| self.unit(unit, place, work.out));
        self.match_decoded(work);
    }

    /// The text ends here. What comes next is a new one.
    pub(super) fn finish(&mut self, work: &mut Work<'_>) {
        let engine = work.engine;
        let (text, mut decide) = self.split(work);
        text.finish(engine, &mut decide);
        *text = Text::default();
        self.matching = None;
    }

    /// Decides everything that waits; the text goes on.
    pub(super) fn force(&mut self, work: &mut Work<'_>) {
        let engine = work.engine;
        let (text, mut decide) = self.split(work);
        text.force(engine, &mut decide);
    }

    fn unit(&mut self, unit: Unit<'_>, place: Place, out: &mut dyn Output) {
        let (raw, decoded, whole) = match unit {
            Unit::Plain(bytes) => (bytes, bytes, false),
            Unit::Escape { raw, decoded } => (raw, decoded, true),
        };
        self.undecided.add(place, raw, decoded.len(), whole, out);
        self.decoded.extend_from_slice(decoded);
    }

    fn match_decoded(&mut self, work: &mut Work<'_>) {
        let mut decoded = std::mem::take(&mut self.decoded);
        self.match_piece(&decoded, work);
        decoded.clear();
        self.decoded = decoded;
    }

    fn match_piece(&mut self, piece: &[u8], work: &mut Work<'_>) {
        if !piece.is_empty() {
            let engine = work.engine;
            let (text, mut decide) = self.split(work);
            text.push(engine, piece, &mut decide);
        }
    }

    fn split<'a>(&'a mut self, work: &'a mut Work<'_>) -> (&'a mut Text, Decide<'a>) {
        let decide = Decide {
            matching: &mut self.matching,
            undecided: &mut self.undecided,
            writing: self.writing,
            out: &mut *work.out,
            counts: &mut *work.counts,
        };
        (&mut self.text, decide)
    }
}
