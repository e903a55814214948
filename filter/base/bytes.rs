//! Bytes that are compared, and shown.

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// Whether both are the same. WebAssembly has no instruction for that, and what compilers put in its
/// place compares byte by byte.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (ones, rest) = one.as_chunks::<16>();
    let (others, other_rest) = other.as_chunks::<16>();
    let mut pairs = ones.iter().zip(others);
    pairs.all(|(one, other)| u128::from_ne_bytes(*one) == u128::from_ne_bytes(*other))
        && rest.iter().zip(other_rest).all(|(one, other)| one == other)
}

/// What stands behind `front` in `bytes` if they begin with it.
#[must_use]
pub fn behind<'a>(bytes: &'a [u8], front: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = bytes.split_at_checked(front.len())?;
    same(start, front).then_some(rest)
}

/// What stands in front of `end` in `bytes` if they end with it.
#[must_use]
pub fn in_front<'a>(bytes: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let (rest, tail) = bytes.split_at_checked(bytes.len().checked_sub(end.len())?)?;
    same(tail, end).then_some(rest)
}

/// The value of a hexadecimal digit, in either case.
#[must_use]
pub fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{behind, in_front, same};

    #[test]
    fn bytes_are_compared_to_the_last() {
        let bytes: Vec<u8> = (0..100).collect();
        for length in 0..bytes.len() {
            let one = &bytes[..length];
            let copy = one.to_vec();
            assert!(same(one, &copy));
            assert!(!same(one, &bytes[..=length]));
            for at in 0..length {
                let mut other = one.to_vec();
                other[at] ^= 0x80;
                assert!(!same(one, &other), "{at} of {length}");
                assert_eq!(behind(&bytes, &other), None);
                assert_eq!(in_front(one, &other[at..]), None);
            }
            assert_eq!(behind(&bytes, one), Some(&bytes[length..]));
            assert_eq!(in_front(&bytes, &bytes[length..]), Some(one));
            assert_eq!(behind(one, &bytes), None);
            assert_eq!(in_front(one, &bytes), None);
        }
    }
}
