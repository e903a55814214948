//! Where a JSON string ends.

use super::block::{Block, WIDTH};

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
