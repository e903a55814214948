//! A tensor's elements, as they stand in its bytes.

use base::wire::{Elements, Range, WireError};

/// Types whose elements are numbers.
const NUMBERS: &[&[u8]] = &[
    b"BOOL", b"UINT8", b"UINT16", b"UINT32", b"UINT64", b"INT8", b"INT16", b"INT32", b"INT64",
    b"FP16", b"FP32", b"FP64", b"BF16",
];

/// Whether the elements of a tensor of this type are numbers. One whose type is not known is read as
/// `BYTES` too: if it is not, it cannot be masked.
pub(in crate::formats) fn are_numbers(datatype: &[u8]) -> bool {
    NUMBERS.contains(&datatype)
}

/// How many elements the `BYTES` tensor at `range` has.
///
/// # Errors
/// A length that goes beyond it.
pub(in crate::formats) fn count(bytes: &[u8], range: Range) -> Result<usize, WireError> {
    let mut count = 0;
    let mut elements = Elements::new(bytes, range);
    while elements.read_next()?.is_some() {
        count += 1;
    }
    Ok(count)
}
