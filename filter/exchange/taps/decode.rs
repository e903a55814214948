//! A response's content coding, undone.

use super::stage::{Next, Stage};
use crate::exchange::buffers::Share;
use base::code::Code;
use coding::{self, Coding, Decoder};

/// Undoes a content coding.
#[derive(Debug)]
pub(super) struct Decode(Decoder);

impl Decode {
    /// Takes from the share what the coding may need at the worst.
    ///
    /// # Errors
    /// There is not enough: said here, where an answer can still take the response's place.
    pub(super) fn new(coding: Coding, mut share: Share) -> Result<Self, Code> {
        let room = share.resize(coding.most_bytes());
        room.map_err(|_| Code::BuffersFull)?;
        Ok(Self(Decoder::within(coding, Box::new(share))))
    }
}

impl Stage for Decode {
    fn push(&mut self, mut piece: &[u8], end: bool, next: &mut Next<'_>) -> Result<(), Code> {
        let mut buffer = vec![0; coding::BUFFER_BYTES];
        loop {
            let written = self.0.read(&mut piece, &mut buffer).map_err(code)?;
            if written == 0 {
                break;
            }
            next(buffer.get(..written).unwrap_or_default(), false)?;
        }
        if end {
            self.0.finish().map_err(code)?;
            next(b"", true)?;
        }
        Ok(())
    }
}

fn code(error: coding::Error) -> Code {
    match error {
        coding::Error::Malformed => Code::EncodingMalformed,
        coding::Error::Truncated => Code::EncodingTruncated,
        coding::Error::TooLarge => Code::EncodingTooLarge,
        coding::Error::NoRoom => Code::BuffersFull,
    }
}
