//! The frame around a message of AWS's event streams.

use super::super::WalkError;
use base::wire::Range;
use coding::Crc;

/// Two lengths and their checksum.
pub(super) const PRELUDE_BYTES: usize = 12;
/// The checksum behind everything else.
const CRC_BYTES: usize = 4;
/// The longest message, in bytes, with its frame.
pub(super) const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The longest headers, in bytes; clients take no longer ones.
pub(super) const MAX_HEADERS_BYTES: usize = 128 * 1024;

/// A message's lengths, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prelude {
    /// Of the message with its frame, at least that of the frame and the headers.
    total: usize,
    headers: usize,
}

impl Prelude {
    /// Reads what a message begins with.
    ///
    /// # Errors
    /// The checksum is wrong, the lengths contradict each other, or one is too long.
    pub(super) fn read(bytes: &[u8; PRELUDE_BYTES]) -> Result<Self, WalkError> {
        let (lengths, crc) = bytes.split_at(PRELUDE_BYTES - CRC_BYTES);
        if crc != checksum(lengths) {
            return Err(WalkError::Malformed);
        }
        let (total, headers) = lengths.split_at(CRC_BYTES);
        let (total, headers) = (number(total), number(headers));
        let fits = total
            .checked_sub(PRELUDE_BYTES + CRC_BYTES)
            .is_some_and(|inside| headers <= inside);
        if !fits {
            Err(WalkError::Malformed)
        } else if total > MAX_MESSAGE_BYTES || headers > MAX_HEADERS_BYTES {
            Err(WalkError::TooLarge)
        } else {
            Ok(Self { total, headers })
        }
    }

    pub(super) fn total(self) -> usize {
        self.total
    }

    /// Where the headers stand in the message.
    pub(super) fn headers(self) -> Range {
        (PRELUDE_BYTES, PRELUDE_BYTES + self.headers)
    }

    /// Where the payload stands in the message.
    pub(super) fn payload(self) -> Range {
        (PRELUDE_BYTES + self.headers, self.total - CRC_BYTES)
    }
}

/// Whether the checksum at the end of a message is right.
pub(super) fn is_whole(message: &[u8]) -> bool {
    let content = message.len().saturating_sub(CRC_BYTES);
    let (content, crc) = message.split_at(content);
    crc == checksum(content)
}

/// A message with these headers and this payload, framed.
pub(in crate::formats) fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = PRELUDE_BYTES + headers.len() + payload.len() + CRC_BYTES;
    let mut message = Vec::with_capacity(total);
    // What came was bounded, and what replaces a match is not longer than its label: neither
    // reaches 4 GiB.
    for length in [total, headers.len()] {
        message.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    message.extend(checksum(&message));
    message.extend_from_slice(headers);
    message.extend_from_slice(payload);
    message.extend(checksum(&message));
    message
}

fn checksum(bytes: &[u8]) -> [u8; CRC_BYTES] {
    let mut crc = Crc::default();
    crc.add(bytes);
    crc.value().to_be_bytes()
}

fn number(bytes: &[u8]) -> usize {
    let number = bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    number
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(usize::MAX)
}
