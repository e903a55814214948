//! Where a JSON string ends.

use super::block::{BLOCK_BYTES, Block};

/// Where the quote stands that ends the content of a JSON string, and whether its last byte is a
/// backslash that escapes what follows; `escaped` says so of what stands in front.
pub(crate) fn end_of_string(bytes: &[u8], escaped: bool) -> (Option<usize>, bool) {
    let mut carried = u64::from(escaped);
    let mut from = 0;
    while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
        let block = Block::load(rest);
        let marks = block.either(b'"', b'\\');
        if marks != 0 || carried != 0 {
            let quotes = block.equal(b'"');
            let (free, carry) = not_escaped(marks & !quotes, carried);
            let ends = quotes & free;
            if ends != 0 {
                let place = usize::try_from(ends.trailing_zeros()).unwrap_or(0);
                return (Some(from + place), false);
            }
            carried = match rest.len() {
                // What escapes the byte behind the last one is no carry of a whole block.
                length @ ..BLOCK_BYTES => !free >> length & 1,
                _ => carry,
            };
        }
        from += BLOCK_BYTES;
    }
    (None, carried != 0)
}

/// Which bytes no backslash escapes, and whether (1) or not (0) the byte behind them is escaped,
/// where these are backslashes and the first byte is escaped if `carried` is 1.
///
/// In a run of backslashes every second one is escaped, and the byte behind it if the run is odd.
/// Adding to the runs that begin at an odd place carries through them, which tells both apart.
fn not_escaped(backslashes: u64, carried: u64) -> (u64, u64) {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !carried;
    let behind = backslashes << 1 | carried;
    let odd = backslashes & !EVEN & !behind;
    let (sum, over) = odd.overflowing_add(backslashes);
    let escaped = (EVEN ^ sum << 1) & behind;
    (!escaped, u64::from(over))
}
