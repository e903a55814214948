//! The places of a byte.

use super::block::{Block, WIDTH};

/// The places in some bytes where one byte stands, in their order.
pub(in crate::mask) struct Marks<'a> {
    bytes: &'a [u8],
    byte: u8,
    /// Where the block begins whose places are given now, and those that are left.
    from: usize,
    left: u64,
}

impl<'a> Marks<'a> {
    /// Where `byte` stands.
    pub(in crate::mask) fn new(bytes: &'a [u8], byte: u8) -> Self {
        Self {
            bytes,
            byte,
            from: 0,
            left: Block::load(bytes).equal(byte),
        }
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.from += WIDTH;
            let rest = self
                .bytes
                .get(self.from..)
                .filter(|rest| !rest.is_empty())?;
            self.left = Block::load(rest).equal(self.byte);
        }
        let first = usize::try_from(self.left.trailing_zeros()).unwrap_or(0);
        self.left &= self.left - 1;
        Some(self.from + first)
    }
}

/// Where the quote stands that ends the content of a JSON string, and whether its last byte is a
/// backslash that escapes what follows; `escaped` says so of what stands in front.
pub(in crate::mask) fn end_of_string(bytes: &[u8], escaped: bool) -> (Option<usize>, bool) {
    // The first byte that no backslash in front of it escapes.
    let mut free = usize::from(escaped);
    let mut from = 0;
    while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
        let block = Block::load(rest);
        let mut marks = block.either(b'"', b'\\');
        if marks != 0 {
            let quotes = block.equal(b'"');
            while marks != 0 {
                let bit = marks.trailing_zeros();
                let place = from + usize::try_from(bit).unwrap_or(0);
                if place >= free {
                    if quotes >> bit & 1 == 1 {
                        return (Some(place), false);
                    }
                    free = place + 2;
                }
                marks &= marks - 1;
            }
        }
        from += WIDTH;
    }
    (None, free > bytes.len())
}
