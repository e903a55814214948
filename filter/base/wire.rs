//! Protobuf's wire format and gRPC's framing, read with strict bounds and without a schema:
//! whatever does not add up is an error, never a read past the end. Groups, which proto3 doesn't
//! have, are errors too.

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError;

/// Bytes of a message, by where they begin and where they end.
pub type Range = (usize, usize);

/// The greatest field number there is.
const GREATEST: u64 = (1 << 29) - 1;

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number, from 1 to 2^29 - 1.
    pub number: u64,
    /// What it holds.
    pub value: Value,
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number in base 128.
    Varint(u64),
    /// Eight or four bytes.
    Fixed,
    /// Bytes, and the length in front of them.
    Counted {
        /// Where the length is.
        prefix: Range,
        /// Where the bytes are.
        bytes: Range,
    },
}

/// The fields of the message in a range of bytes.
#[derive(Debug)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    /// Those of the message in this range.
    #[must_use]
    pub fn new(bytes: &'a [u8], (at, end): Range) -> Self {
        Self {
            bytes,
            at,
            end: end.min(bytes.len()),
        }
    }

    /// Where the next field begins.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next field.
    ///
    /// # Errors
    /// A tag or length that is none, a value that goes beyond the message, a group.
    pub fn read_next(&mut self) -> Result<Option<Field>, WireError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > GREATEST {
            return Err(WireError);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.skip(8)?,
            2 => {
                let from = self.at;
                let length = usize::try_from(self.varint()?).map_err(|_| WireError)?;
                let start = self.at;
                self.skip(length)?;
                Value::Counted {
                    prefix: (from, start),
                    bytes: (start, self.at),
                }
            }
            5 => self.skip(4)?,
            _ => return Err(WireError),
        };
        Ok(Some(Field { number, value }))
    }

    fn skip(&mut self, length: usize) -> Result<Value, WireError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.end);
        self.at = end.ok_or(WireError)?;
        Ok(Value::Fixed)
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self
                .bytes
                .get(self.at..self.end)
                .and_then(<[u8]>::first)
                .ok_or(WireError)?;
            self.at += 1;
            let group = u64::from(byte & 0x7F);
            // The tenth byte has room for one bit.
            if shift == 63 && group > 1 {
                return Err(WireError);
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError)
    }
}

/// The elements of a `BYTES` tensor: each has its length in front, in four bytes, least
/// significant first.
#[derive(Debug)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Elements<'a> {
    /// Those of the tensor in this range.
    #[must_use]
    pub fn new(bytes: &'a [u8], (at, end): Range) -> Self {
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
    pub fn read_next(&mut self) -> Result<Option<(Range, Range)>, WireError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(WireError)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| WireError)?;
        if length > rest.len() {
            return Err(WireError);
        }
        let start = self.at + 4;
        let prefix = (self.at, start);
        self.at = start + length;
        Ok(Some((prefix, (start, self.at))))
    }
}

/// The numbers of a packed list.
#[derive(Debug)]
pub struct Packed<'a>(Fields<'a>);

impl<'a> Packed<'a> {
    /// Those of the list in this range.
    #[must_use]
    pub fn new(bytes: &'a [u8], range: Range) -> Self {
        Self(Fields::new(bytes, range))
    }

    /// The next number.
    ///
    /// # Errors
    /// One that doesn't end.
    pub fn read_next(&mut self) -> Result<Option<u64>, WireError> {
        if self.0.at >= self.0.end {
            return Ok(None);
        }
        self.0.varint().map(Some)
    }
}

/// Takes one gRPC frame (length-prefixed message) off the front; gives whether it is compressed
/// and its message.
///
/// # Errors
/// A frame that is not whole.
pub fn frame<'a>(bytes: &mut &'a [u8]) -> Result<(bool, &'a [u8]), WireError> {
    let ([flag, length @ ..], rest) = bytes.split_first_chunk::<5>().ok_or(WireError)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| WireError)?;
    let (message, rest) = rest.split_at_checked(length).ok_or(WireError)?;
    *bytes = rest;
    Ok((*flag != 0, message))
}

#[cfg(test)]
mod tests {
    use super::{Elements, Field, Fields, Packed, Value, WireError, frame};

    fn fields(bytes: &[u8]) -> Fields<'_> {
        Fields::new(bytes, (0, bytes.len()))
    }

    #[test]
    fn reads_each_wire_type() {
        let message = [
            0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0,
            0,
        ];
        let mut fields = fields(&message);
        for (number, value) in [
            (1, Value::Varint(150)),
            (
                2,
                Value::Counted {
                    prefix: (4, 5),
                    bytes: (5, 7),
                },
            ),
            (3, Value::Fixed),
            (4, Value::Fixed),
        ] {
            assert_eq!(fields.read_next(), Ok(Some(Field { number, value })));
        }
        assert_eq!(fields.read_next(), Ok(None));
        let mut packed = Packed::new(&[0x96, 0x01, 0x02], (0, 3));
        assert_eq!(packed.read_next(), Ok(Some(150)));
        assert_eq!(packed.read_next(), Ok(Some(2)));
        assert_eq!(packed.read_next(), Ok(None));
    }

    #[test]
    fn lying_lengths_and_unknown_wire_types_are_errors() {
        for bytes in [
            &[0x12, 0x7f, 0][..],
            &[
                0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            &[0x0b],
            &[0x00, 0x00],
            &[0x0d, 1],
            &[0x09, 1],
            &[0x80],
        ] {
            assert_eq!(fields(bytes).read_next(), Err(WireError), "{bytes:?}");
        }
        assert_eq!(
            Packed::new(&[0xff; 11], (0, 11)).read_next(),
            Err(WireError)
        );
        assert_eq!(
            Elements::new(&[9, 0, 0, 0, 1], (0, 5)).read_next(),
            Err(WireError)
        );
        assert_eq!(frame(&mut &[0, 0, 0, 0, 2, 1][..]), Err(WireError));
        assert_eq!(frame(&mut &[1, 0, 0, 0, 1, 9][..]), Ok((true, &[9][..])));
    }
}
