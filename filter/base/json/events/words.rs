//! What eight or four bytes of a text say, found without a loop.

/// Each byte is 1.
const ONES: u64 = u64::MAX / 255;
/// The high bit of each byte.
const HIGH: u64 = ONES << 7;

/// How many bytes stand before the first that is a quote, a backslash or a control character.
#[inline]
pub(super) fn before_special(bytes: &[u8]) -> usize {
    before(bytes, specials, |byte| {
        matches!(byte, b'"' | b'\\' | ..b' ')
    })
}

/// How many bytes stand before the first that is no digit.
#[inline]
pub(super) fn before_other_than_digit(bytes: &[u8]) -> usize {
    before(bytes, others_than_digits, |byte| !byte.is_ascii_digit())
}

/// How many bytes stand before the first that is looked for. Of a word, the lowest byte that is one
/// is marked by its high bit, and bytes above it may be.
#[inline]
fn before(bytes: &[u8], marks: impl Fn(u64) -> u64, is: impl Fn(u8) -> bool) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut count = 0;
    for word in words {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return count + lowest(marks);
        }
        count += 8;
    }
    count + rest.iter().take_while(|byte| !is(**byte)).count()
}

/// The byte that the lowest mark is in.
#[inline]
fn lowest(marks: u64) -> usize {
    usize::try_from(marks.trailing_zeros() / 8).unwrap_or(8)
}

#[inline]
fn specials(word: u64) -> u64 {
    // Marks bytes that are less than `bound` and no more than 0x7F. The subtraction borrows from
    // the bytes above.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGH;
    let is = |mark: u8| below(word ^ (ONES * u64::from(mark)), 1);
    below(word, 0x20) | is(b'"') | is(b'\\')
}

#[inline]
fn others_than_digits(word: u64) -> u64 {
    // A digit is now 0 to 9. The addition carries into the bytes above.
    let word = word ^ (ONES * 0x30);
    (word.wrapping_add(ONES * 0x76) | word) & HIGH
}

/// The whole number that bytes begin with, and how many bytes it is, if a look at eight bytes tells:
/// up to seven digits with another byte behind them. What has a zero too many or goes on with a
/// fraction or an exponent is left out.
#[inline]
pub(super) fn short_number(bytes: &[u8]) -> Option<(u64, usize)> {
    let bytes = bytes.first_chunk::<8>()?;
    let word = u64::from_le_bytes(*bytes);
    let digits = lowest(others_than_digits(word));
    if matches!(bytes.get(digits)?, b'.' | b'e' | b'E') || matches!(bytes, [b'0', b'0'..=b'9', ..])
    {
        return None;
    }
    // The digits move to the end, with zeros before them; then each turn joins two neighbours.
    let unused = u32::try_from(8 - digits).ok()? * 8;
    let word = word.checked_shl(unused)? & (ONES * 0x0F);
    let word = word.wrapping_mul(10 << 8 | 1) >> 8 & 0x00FF_00FF_00FF_00FF;
    let word = word.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_FFFF_0000_FFFF;
    Some((word.wrapping_mul(10_000 << 32 | 1) >> 32, digits))
}

/// The number that four hexadecimal digits are.
pub(super) fn hex(bytes: [u8; 4]) -> Option<u32> {
    const ONES: u32 = u32::MAX / 255;
    const HIGH: u32 = ONES << 7;
    let word = u32::from_be_bytes(bytes);
    if word & HIGH != 0 {
        return None;
    }
    // The high bit of a byte that is at least `bound`: nothing carries, since none was set.
    let least = |word: u32, bound: u32| word + ONES * (0x80 - bound);
    let lower = word | (ONES * 0x20);
    let digit = least(word, 0x30) & !least(word, 0x3A);
    let letter = least(lower, 0x61) & !least(lower, 0x67);
    if (digit | letter) & HIGH != HIGH {
        return None;
    }
    let fours = (word & (ONES * 0x0F)) + (word >> 6 & ONES) * 9;
    let eights = (fours | fours >> 4) & 0x00FF_00FF;
    Some((eights | eights >> 8) & 0xFFFF)
}

#[cfg(test)]
mod tests {
    use super::{before_other_than_digit, before_special, hex, short_number};

    #[test]
    fn the_first_byte_is_found_wherever_it_stands_and_whatever_stands_around_it() {
        let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        for byte in 0..=255 {
            for (before, behind) in [
                (b'a', b'a'),
                (b' ', b'"'),
                (0xFF, 0),
                (0x80, 0xFF),
                (b'!', b'\\'),
                (b'0', b'9'),
                (b'9', b'/'),
            ] {
                for (at, length) in (0..20).flat_map(|at| [at + 1, at + 5, 20].map(|end| (at, end)))
                {
                    let mut bytes = vec![behind; length];
                    bytes[..at].fill(before);
                    bytes[at] = byte;
                    let found = bytes.iter().position(special).unwrap_or(length);
                    assert_eq!(before_special(&bytes), found, "{bytes:x?}");
                    let found = bytes.iter().position(|byte| !byte.is_ascii_digit());
                    let found = found.unwrap_or(length);
                    assert_eq!(before_other_than_digit(&bytes), found, "{bytes:x?}");
                }
            }
        }
    }

    #[test]
    fn short_numbers_are_found_with_their_values() {
        for number in (0..10_000_000).step_by(237) {
            let text = number.to_string();
            for behind in [",1234567", "]]]]]]]]", "\u{fffd}aaaaaaaa", "        "] {
                let bytes = format!("{text}{behind}").into_bytes();
                assert_eq!(short_number(&bytes), Some((number, text.len())));
            }
            for behind in [".1234567", "e1234567", "E1234567"] {
                assert_eq!(short_number(format!("{text}{behind}").as_bytes()), None);
            }
        }
        for other in [
            "", "1", "1,23456", "12345678", "00,12345", "01,12345", "-1,23456", ",1234567",
        ] {
            assert_eq!(short_number(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_numbers() {
        for number in 0..=0xFFFF {
            for text in [format!("{number:04x}"), format!("{number:04X}")] {
                let bytes = *text.as_bytes().first_chunk().unwrap();
                assert_eq!(hex(bytes), Some(number));
            }
        }
        for byte in 0..=u8::MAX {
            for at in 0..4 {
                let mut bytes = *b"fA09";
                bytes[at] = byte;
                assert_eq!(hex(bytes).is_some(), byte.is_ascii_hexdigit(), "{bytes:x?}");
            }
        }
    }
}
