//! Arrays of numbers, such as embeddings.

use super::block::{BLOCK_BYTES, Block};

/// Digits in a row, not directly behind a decimal point, from which on a number may be somebody's.
pub(crate) const TELLING_DIGITS: usize = 9;

/// How many bytes at the front of `bytes`, which stand in an array where a value may come, are
/// numbers in which nothing can match, each with its comma.
///
/// Counted are whole numbers up to the last comma that was looked at. A number is what begins
/// with a digit or a minus sign and goes on with bytes that numbers may have; whether it is one
/// by JSON's grammar is not asked.
pub(crate) fn plain_numbers(bytes: &[u8]) -> usize {
    let mut taken = 0;
    while let Some(rest) = bytes.get(taken..).filter(|rest| rest.len() >= BLOCK_BYTES) {
        let step = of_block(Block::load(rest));
        if step == 0 {
            break;
        }
        taken += step;
    }
    taken
}

/// As [`plain_numbers`], for one block: takes the numbers that end in it.
fn of_block(block: Block) -> usize {
    let digit = block.within(b'0', b'9');
    let comma = block.equal(b',');
    let minus = block.equal(b'-');
    let point = block.equal(b'.');
    // Most arrays have neither exponents nor spaces.
    let (other, space) = if digit | comma | minus | point == u64::MAX {
        (0, 0)
    } else {
        (
            block.equal(b'+') | block.either(b'e', b'E'),
            block.either(b' ', b'\n') | block.either(b'\r', b'\t'),
        )
    };
    let number = digit | minus | point | other;

    // Up to the last comma before the first byte that is none of these.
    let end = (number | comma | space).trailing_ones();
    let known = if end >= u64::BITS {
        u64::MAX
    } else {
        (1 << end) - 1
    };
    let commas = comma & known;
    if commas == 0 {
        return 0;
    }
    let length = u64::BITS - commas.leading_zeros();
    let part = u64::MAX >> (u64::BITS - length);

    // Where a value is due: the first byte that is no space at the front and behind a comma.
    let space = space & part;
    let due = ((comma << 1 | 1) & part).wrapping_add(space) & !space & part;
    let number = number & part;
    let starts = number & !(number << 1);
    let digit = digit & part;
    let digits = digit & !(digit << 1) & !(point << 1);
    // From a digit on, how many follow: nine or more.
    let two = digit & digit >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    let nine = eight & digit >> 8;
    let proper = starts == due && due & !(digit | minus) == 0 && digits & nine == 0;
    if proper {
        usize::try_from(length).unwrap_or(0)
    } else {
        0
    }
}
