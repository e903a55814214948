//! What a piece of a JSON string's content reads as.

use crate::formats::escape::{Unescape, Unit, character, short};
use crate::prefilter::{BLOCK_BYTES, Block};

/// An escape, in what it reads as.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escape {
    /// Where its first byte stands.
    pub(super) at: usize,
    /// How many bytes it reads as, at least one.
    pub(super) decoded: usize,
    /// How many bytes it is written with.
    pub(super) raw: usize,
}

/// Room for what pieces read as, one after another.
#[derive(Default)]
pub(super) struct Decoded {
    /// Never shorter than what is read next, and a block more: pieces are copied block by block,
    /// and what is too much is written over.
    room: Vec<u8>,
    length: usize,
    escapes: Vec<Escape>,
}

/// What stands in the room is of use to nobody but who has just put it there.
impl Clone for Decoded {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoded").finish_non_exhaustive()
    }
}

impl Decoded {
    /// What the last piece reads as, and the escapes in it. Every other byte is a byte of the
    /// piece.
    pub(super) fn get(&self) -> (&[u8], &[Escape]) {
        let text = self.room.get(..self.length).unwrap_or(&self.room);
        (text, &self.escapes)
    }

    /// Reads a piece. The beginning of an escape at its end stays in `unescape`, which holds
    /// nothing before.
    pub(super) fn read(&mut self, raw: &[u8], unescape: &mut Unescape) {
        self.length = 0;
        self.escapes.clear();
        // Nothing reads as more bytes than it is written with.
        let room = raw.len() + BLOCK_BYTES;
        if self.room.len() < room {
            self.room.resize(room, 0);
        }
        let mut at = 0;
        loop {
            at = self.plain(raw, at);
            let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) else {
                return;
            };
            at += match self.common(rest) {
                0 => self.rare(rest, unescape),
                length => length,
            };
        }
    }

    /// Copies what stands in front of the next backslash, and gives its place.
    fn plain(&mut self, raw: &[u8], mut at: usize) -> usize {
        while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
            let room = self.room.get_mut(self.length..).unwrap_or_default();
            let (Some(block), Some(room)) =
                (rest.first_chunk(), room.first_chunk_mut::<BLOCK_BYTES>())
            else {
                let length = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
                self.put(rest.get(..length).unwrap_or(rest));
                return at + length;
            };
            *room = *block;
            let marks = Block::new(block).equal(b'\\');
            let plain = usize::try_from(marks.trailing_zeros()).unwrap_or(BLOCK_BYTES);
            self.length += plain;
            at += plain;
            if marks != 0 {
                break;
            }
        }
        at
    }

    fn put(&mut self, bytes: &[u8]) {
        let room = self.room.get_mut(self.length..self.length + bytes.len());
        if let Some(room) = room {
            room.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    /// Reads the escape at the front if it is one that stands for a character and is whole, and
    /// gives its length.
    fn common(&mut self, rest: &[u8]) -> usize {
        let Some([_, byte]) = rest.first_chunk() else {
            return 0;
        };
        if let Some(byte) = short(*byte) {
            return self.escape(2, [byte, 0, 0, 0], 1);
        }
        let Some([_, b'u', digits @ ..]) = rest.first_chunk::<6>() else {
            return 0;
        };
        let Some(character) = character(*digits) else {
            return 0;
        };
        let mut bytes = [0; 4];
        let decoded = character.encode_utf8(&mut bytes).len();
        self.escape(6, bytes, decoded)
    }

    /// Adds an escape of `raw` bytes that reads as the first `decoded` of `bytes`; gives `raw`.
    fn escape(&mut self, raw: usize, bytes: [u8; 4], decoded: usize) -> usize {
        let room = self.room.get_mut(self.length..).unwrap_or_default();
        if let Some(room) = room.first_chunk_mut() {
            *room = bytes;
            self.note(raw, decoded);
        }
        raw
    }

    fn note(&mut self, raw: usize, decoded: usize) {
        self.escapes.push(Escape {
            at: self.length,
            decoded,
            raw,
        });
        self.length += decoded;
    }

    /// Reads the escape at the front that is another one, or none, or not whole, and gives where it
    /// ends.
    fn rare(&mut self, rest: &[u8], unescape: &mut Unescape) -> usize {
        for (index, byte) in rest.iter().enumerate() {
            unescape.push(&[*byte], &mut |unit| match unit {
                Unit::Plain(bytes) => self.put(bytes),
                Unit::Escape { raw, decoded } => {
                    let at = self.length;
                    self.put(decoded);
                    self.length = at;
                    self.note(raw.len(), decoded.len());
                }
            });
            if unescape.held() == 0 {
                return index + 1;
            }
        }
        rest.len()
    }
}
