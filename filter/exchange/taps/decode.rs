//! A body's content coding, undone: a response's piece by piece, a request's at once.

use super::over;
use super::stage::{Next, Stage};
use crate::exchange::buffers::Share;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::reply::Refusal;
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

/// Undoes the coding of a whole request, within the limit of its size, and says what room it takes.
pub(in crate::exchange) fn undo(
    coding: Coding,
    mut body: &[u8],
    compiled: &CompiledPolicy,
) -> Result<(Vec<u8>, Share), Refusal> {
    let limit = compiled.policy.limits.request_body;
    let mut window = compiled.buffers.share();
    let mut room = compiled.buffers.share();
    window
        .resize(coding.most_bytes())
        .map_err(|_| Refusal::buffers_full())?;
    let mut decoder = Decoder::within(coding, Box::new(window));
    let mut decoded = Vec::new();
    let mut buffer = vec![0; coding::BUFFER_BYTES];
    loop {
        let written = decoder
            .read(&mut body, &mut buffer)
            .map_err(|error| refusal(error, limit))?;
        if written == 0 {
            break;
        }
        if over(decoded.len().saturating_add(written), limit) {
            return Err(Refusal::too_large(limit));
        }
        // What the vector doubles to, and for a moment both.
        let most = decoded.capacity().saturating_mul(3).max(written);
        room.resize(most).map_err(|_| Refusal::buffers_full())?;
        decoded.extend_from_slice(buffer.get(..written).unwrap_or_default());
    }
    decoder.finish().map_err(|error| refusal(error, limit))?;
    let _ = room.resize(decoded.capacity());
    Ok((decoded, room))
}

fn refusal(error: coding::Error, limit: u64) -> Refusal {
    match error {
        coding::Error::Malformed | coding::Error::Truncated => {
            Refusal::malformed("The body is not whole, or not in the encoding that its head says.")
        }
        coding::Error::TooLarge => Refusal::too_large(limit),
        coding::Error::NoRoom => Refusal::buffers_full(),
    }
}
