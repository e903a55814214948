//! Protocol Buffers' wire format and gRPC's framing, read without a schema's compiler.
//!
//! Hostile lengths are errors, never reads past the end; groups (wire types 3 and 4), which
//! proto3 doesn't have, are errors too.

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64([u8; 8]),
    /// Wire type 2: a string, bytes, a message or a packed list.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32([u8; 4]),
}

/// The bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError;

/// Walks the fields of one message.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Begins at a message's first field.
    #[must_use]
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field's number and value; `None` at the message's end.
    ///
    /// # Errors
    /// Bytes that are not a field.
    pub fn next_field(&mut self) -> Result<Option<(u64, Value<'a>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = varint(&mut self.rest)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed64(*self.rest.split_first_chunk().ok_or(WireError)?.0),
            2 => {
                let length = usize::try_from(varint(&mut self.rest)?).map_err(|_| WireError)?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(WireError)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(*self.rest.split_first_chunk().ok_or(WireError)?.0),
            _ => return Err(WireError),
        };
        let fixed = match value {
            Value::Fixed64(_) => 8,
            Value::Fixed32(_) => 4,
            _ => 0,
        };
        self.rest = self.rest.get(fixed..).ok_or(WireError)?;
        let number = key >> 3;
        if number == 0 {
            return Err(WireError);
        }
        Ok(Some((number, value)))
    }
}

/// Takes one varint off the front: at most ten bytes.
///
/// # Errors
/// A varint that doesn't end, or is longer than 64 bits.
pub fn varint(bytes: &mut &[u8]) -> Result<u64, WireError> {
    let mut value: u64 = 0;
    for index in 0..10u32 {
        let (byte, rest) = bytes.split_first().ok_or(WireError)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if index == 9 && part > 1 {
            return Err(WireError);
        }
        value |= part << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireError)
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
    use super::{Fields, Value, WireError, frame, varint};

    #[test]
    fn reads_each_wire_type() {
        let message = [
            0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0,
            0,
        ];
        let mut fields = Fields::new(&message);
        assert_eq!(fields.next_field(), Ok(Some((1, Value::Varint(150)))));
        assert_eq!(fields.next_field(), Ok(Some((2, Value::Bytes(b"hi")))));
        assert_eq!(
            fields.next_field(),
            Ok(Some((3, Value::Fixed32([1, 0, 0, 0]))))
        );
        assert_eq!(
            fields.next_field(),
            Ok(Some((4, Value::Fixed64([2, 0, 0, 0, 0, 0, 0, 0]))))
        );
        assert_eq!(fields.next_field(), Ok(None));
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
            assert_eq!(Fields::new(bytes).next_field(), Err(WireError), "{bytes:?}");
        }
        assert_eq!(varint(&mut &[0xff; 11][..]), Err(WireError));
        assert_eq!(frame(&mut &[0, 0, 0, 0, 2, 1][..]), Err(WireError));
        assert_eq!(frame(&mut &[1, 0, 0, 0, 1, 9][..]), Ok((true, &[9][..])));
    }
}
