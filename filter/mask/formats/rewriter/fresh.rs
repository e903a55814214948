//! The piece that the matcher is given, and where its bytes come from.

use super::super::output::{Output, Place};
use super::decode::Escape;

/// The part of a piece that is not decided yet.
#[derive(Debug, Default)]
pub(super) struct Fresh<'a> {
    raw: &'a [u8],
    /// How many bytes it reads as, and how many of them are decided.
    length: usize,
    decided: usize,
    /// The escapes that are not decided. Every other byte reads as itself.
    escapes: &'a [Escape],
    /// Whether a byte of the first one was replaced.
    replaced: bool,
    place: Place,
}

/// Bytes that are decided one by one, or together.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) raw: &'a [u8],
    pub(super) decoded: usize,
    /// All or nothing; otherwise each raw byte is a decoded one.
    pub(super) whole: bool,
    /// How many of the decoded bytes are decided.
    pub(super) seen: usize,
    /// Whether one of these was replaced.
    pub(super) replaced: bool,
}

impl<'a> Fresh<'a> {
    /// A piece that reads as `length` bytes.
    pub(super) fn new(raw: &'a [u8], length: usize, escapes: &'a [Escape], place: Place) -> Self {
        Self {
            raw,
            length,
            decided: 0,
            escapes,
            replaced: false,
            place,
        }
    }

    /// Where the piece is written.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Decides the next `count` decoded bytes.
    pub(super) fn decide(&mut self, count: usize, kept: bool, out: &mut dyn Output) {
        let end = self.length.min(self.decided + count);
        // Raw bytes at the front that stay.
        let mut stay = 0;
        while self.decided < end {
            let escape = self.escapes.first();
            let plain = escape.map_or(end, |escape| escape.at.min(end));
            if let Some(bytes) = plain.checked_sub(self.decided).filter(|bytes| *bytes > 0) {
                if kept {
                    stay += bytes;
                } else {
                    self.skip(bytes);
                }
                self.decided = plain;
                continue;
            }
            let Some(escape) = escape else {
                break;
            };
            let over = escape.at + escape.decoded;
            self.replaced |= !kept;
            self.decided = over.min(end);
            if self.decided < over {
                break;
            }
            if self.replaced {
                self.skip(escape.raw);
            } else {
                stay += escape.raw;
            }
            self.escapes = self.escapes.get(1..).unwrap_or_default();
            self.replaced = false;
        }
        if stay > 0 {
            out.write(self.place, self.raw.get(..stay).unwrap_or(self.raw));
            self.skip(stay);
        }
    }

    /// Visits what is left, part by part.
    pub(super) fn rest(mut self, mut each: impl FnMut(Part<'a>, Place)) {
        while self.decided < self.length {
            let escape = self
                .escapes
                .first()
                .filter(|escape| escape.at <= self.decided);
            let (count, decoded, seen) = match escape {
                Some(escape) => (escape.raw, escape.decoded, self.decided - escape.at),
                None => {
                    let next = self.escapes.first().map_or(self.length, |next| next.at);
                    let count = next.min(self.length) - self.decided;
                    (count, count, 0)
                }
            };
            let whole = escape.is_some();
            let (raw, later) = self.raw.split_at(count.min(self.raw.len()));
            let part = Part {
                raw,
                decoded,
                whole,
                seen,
                replaced: whole && self.replaced,
            };
            each(part, self.place);
            self.raw = later;
            self.decided += decoded - seen;
            if whole {
                self.escapes = self.escapes.get(1..).unwrap_or_default();
                self.replaced = false;
            }
        }
    }

    fn skip(&mut self, length: usize) {
        self.raw = self.raw.get(length..).unwrap_or_default();
    }
}
