//! Protobuf's wire format, read with strict bounds: whatever does not add up is an error.

use super::super::WalkError;
use super::super::feed::Range;

/// The greatest field number there is.
const GREATEST: u64 = (1 << 29) - 1;

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) number: u64,
    pub(super) value: Value,
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number in base 128.
    Varint(u64),
    /// Eight or four bytes.
    Fixed,
    /// Bytes, and the length in front of them.
    Counted { prefix: Range, bytes: Range },
}

/// The fields of the message in a range of bytes.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8], (at, end): Range) -> Self {
        Self {
            bytes,
            at,
            end: end.min(bytes.len()),
        }
    }

    /// The next field.
    ///
    /// # Errors
    /// A tag or length that is none, a value that goes beyond the message, a group.
    pub(super) fn next(&mut self) -> Result<Option<Field>, WalkError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > GREATEST {
            return Err(WalkError::Malformed);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.skip(8)?,
            2 => {
                let from = self.at;
                let length = usize::try_from(self.varint()?).map_err(|_| WalkError::Malformed)?;
                let start = self.at;
                self.skip(length)?;
                Value::Counted {
                    prefix: (from, start),
                    bytes: (start, self.at),
                }
            }
            5 => self.skip(4)?,
            _ => return Err(WalkError::Malformed),
        };
        Ok(Some(Field { number, value }))
    }

    fn skip(&mut self, length: usize) -> Result<Value, WalkError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.end);
        self.at = end.ok_or(WalkError::Malformed)?;
        Ok(Value::Fixed)
    }

    fn varint(&mut self) -> Result<u64, WalkError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self
                .bytes
                .get(self.at..self.end)
                .and_then(<[u8]>::first)
                .ok_or(WalkError::Malformed)?;
            self.at += 1;
            let group = u64::from(byte & 0x7F);
            // The tenth byte has room for one bit.
            if shift == 63 && group > 1 {
                return Err(WalkError::Malformed);
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WalkError::Malformed)
    }
}

/// The elements of a `BYTES` tensor: each has its length in front, in four bytes, least
/// significant first.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8], (at, end): Range) -> Self {
        Self {
            bytes,
            at,
            end: end.min(bytes.len()),
        }
    }

    /// The next element: its length's range and its own.
    ///
    /// # Errors
    /// A length that goes beyond the tensor.
    pub(super) fn next(&mut self) -> Result<Option<(Range, Range)>, WalkError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(WalkError::Malformed)?;
        let length =
            usize::try_from(u32::from_le_bytes(*length)).map_err(|_| WalkError::Malformed)?;
        if length > rest.len() {
            return Err(WalkError::Malformed);
        }
        let start = self.at + 4;
        let prefix = (self.at, start);
        self.at = start + length;
        Ok(Some((prefix, (start, self.at))))
    }
}
