//! The piece that the matcher is given, and where its bytes come from.

use super::{Output, Place};

/// Bytes that read as other bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) raw: usize,
    pub(super) decoded: usize,
    /// All or nothing; otherwise each raw byte is a decoded one.
    pub(super) whole: bool,
}

impl Span {
    /// So many bytes that mean themselves.
    pub(super) fn plain(length: usize) -> Self {
        Self {
            raw: length,
            decoded: length,
            whole: false,
        }
    }

    /// An escape.
    pub(super) fn whole(raw: usize, decoded: usize) -> Self {
        Self {
            raw,
            decoded,
            whole: true,
        }
    }
}

/// What of a piece is not decided yet.
#[derive(Debug, Default)]
pub(super) struct Fresh<'a> {
    raw: &'a [u8],
    spans: &'a [Span],
    place: Place,
    /// How many decoded bytes of the first span are decided, and whether one was replaced.
    seen: usize,
    replaced: bool,
}

impl<'a> Fresh<'a> {
    /// A piece that reads as `spans` say.
    pub(super) fn new(raw: &'a [u8], spans: &'a [Span], place: Place) -> Self {
        Self {
            raw,
            spans,
            place,
            seen: 0,
            replaced: false,
        }
    }

    /// Where the piece is written.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Decides the next `len` decoded bytes.
    pub(super) fn decide(&mut self, mut len: usize, kept: bool, out: &mut dyn Output) {
        // Raw bytes at the front that stay.
        let mut stay = 0;
        while len > 0 {
            let Some((span, later)) = self.spans.split_first() else {
                break;
            };
            let taken = len.min(span.decoded.saturating_sub(self.seen));
            len -= taken;
            self.seen += taken;
            self.replaced |= !kept;
            let over = self.seen >= span.decoded;
            match (span.whole, over) {
                (true, true) if self.replaced => {
                    self.write(stay, out);
                    stay = 0;
                    self.skip(span.raw);
                }
                (true, true) => stay += span.raw,
                (true, false) => {}
                (false, _) if kept => stay += taken,
                (false, _) => self.skip(taken),
            }
            if over {
                self.spans = later;
                self.seen = 0;
                self.replaced = false;
            }
        }
        self.write(stay, out);
    }

    /// What is left, span by span: its raw bytes, what is left of it, and for the first how many
    /// of its decoded bytes are decided and whether one was replaced.
    pub(super) fn rest(mut self, mut each: impl FnMut(&'a [u8], Span, (usize, bool), Place)) {
        for (index, span) in self.spans.iter().enumerate() {
            let done = if index == 0 { self.seen } else { 0 };
            let (left, seen) = if span.whole {
                (*span, (done, index == 0 && self.replaced))
            } else {
                (Span::plain(span.raw.saturating_sub(done)), (0, false))
            };
            let (raw, later) = self.raw.split_at(left.raw.min(self.raw.len()));
            each(raw, left, seen, self.place);
            self.raw = later;
        }
    }

    fn write(&mut self, length: usize, out: &mut dyn Output) {
        if length > 0 {
            out.write(self.place, self.raw.get(..length).unwrap_or(self.raw));
            self.skip(length);
        }
    }

    fn skip(&mut self, length: usize) {
        self.raw = self.raw.get(length..).unwrap_or_default();
    }
}
