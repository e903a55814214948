//! gRPC bodies: messages, each with a flag and its length in front.
//!
//! A message is held until it is complete, since its length comes first, and then until its texts
//! are decided. In a stream the text of an output's element goes on from message to message; what
//! matches over several is written in the one where it begins.
//!
//! A compressed message is decompressed, and sent on as it is then. The frame that ends a body of
//! gRPC-Web holds its trailers.

mod any;
mod fields;
mod message;
mod trailers;

#[cfg(test)]
mod tests;

use super::feed::Feed;
use super::queue::Length;
use super::texts::Texts;
use super::{Counts, GrpcMessage, WalkError};
use crate::encoding::{self, Coding};
use crate::mask::Engine;
use any::Any;
use message::Message;

/// The flag and the length.
const HEADER: usize = 5;
/// The longest message, in bytes; gRPC libraries take no longer ones either unless told to.
const LONGEST: usize = 4 * 1024 * 1024;

/// The flag of a message that is compressed, and of gRPC-Web's trailers.
const COMPRESSED: u8 = 1;
const TRAILERS: u8 = 0x80;

/// What a body's head says of its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Framing {
    /// How compressed messages are, as far as that is known.
    pub compression: Option<Coding>,
    /// Whether the body's last frame holds its trailers, as in gRPC-Web.
    pub web: bool,
}

/// Masks a gRPC body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grpc {
    message: GrpcMessage,
    framing: Framing,
    /// The frame whose end has not come.
    frame: Vec<u8>,
    texts: Texts,
}

impl Grpc {
    pub(super) fn new(message: GrpcMessage, framing: Framing) -> Self {
        Self {
            message,
            framing,
            frame: Vec::new(),
            texts: Texts::default(),
        }
    }

    pub(super) fn held(&self) -> usize {
        self.frame.len() + self.texts.queue.size()
    }

    pub(super) fn push(
        &mut self,
        engine: &Engine,
        mut piece: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let wanted = match self.length()? {
                None => HEADER,
                Some(length) => HEADER + length,
            };
            let (now, later) = piece.split_at(piece.len().min(wanted - self.frame.len()));
            self.frame.extend_from_slice(now);
            piece = later;
            if self
                .length()?
                .is_some_and(|length| self.frame.len() == HEADER + length)
            {
                self.end_frame(engine, out, counts)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        self.texts.finish(engine, counts, |_| true);
        self.texts.release(engine, counts, out);
        if self.frame.is_empty() {
            Ok(())
        } else {
            Err(WalkError::Truncated)
        }
    }

    /// The length that the frame's header gives, once it is there.
    fn length(&self) -> Result<Option<usize>, WalkError> {
        let Some((flag, rest)) = self.frame.split_first() else {
            return Ok(None);
        };
        match *flag {
            0 => {}
            COMPRESSED if self.framing.compression.is_some() => {}
            COMPRESSED => return Err(WalkError::Compressed),
            TRAILERS if self.framing.web => {}
            _ => return Err(WalkError::Malformed),
        }
        let Some(length) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(WalkError::TooLarge);
        }
        Ok(Some(length))
    }

    /// The frame that has ended, decompressed if it is compressed.
    fn take_frame(&mut self) -> Result<Vec<u8>, WalkError> {
        let frame = std::mem::take(&mut self.frame);
        let coding = match (frame.first(), self.framing.compression) {
            (Some(&COMPRESSED), Some(coding)) => coding,
            _ => return Ok(frame),
        };
        let message = frame.get(HEADER..).unwrap_or_default();
        let decoded = encoding::whole(coding, message, LONGEST).map_err(|error| match error {
            encoding::Error::TooLarge => WalkError::TooLarge,
            encoding::Error::Malformed | encoding::Error::Truncated => WalkError::Malformed,
        })?;
        let length = u32::try_from(decoded.len()).map_err(|_| WalkError::TooLarge)?;
        let mut frame = Vec::with_capacity(HEADER + decoded.len());
        frame.push(0);
        frame.extend(length.to_be_bytes());
        frame.extend(decoded);
        Ok(frame)
    }

    fn end_frame(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let mut frame = self.take_frame()?;
        let trailers = frame.first() == Some(&TRAILERS);
        // The paths are those of the answer's messages.
        let answer = !trailers && self.message != GrpcMessage::Status;
        if answer && !engine.removed_of_grpc().is_empty() {
            frame = fields::without(&frame, engine.removed_of_grpc())?;
        }
        let range = (HEADER, frame.len());
        let mut feed = Feed::new(&mut self.texts, engine, counts, &frame);
        feed.begin_counted(Length::Big32, (1, HEADER), frame.len() - HEADER);
        let over = match self.message {
            _ if trailers => {
                trailers::feed(&mut feed, range);
                None
            }
            GrpcMessage::ModelInferRequest => {
                Message::new(&frame, &mut feed).request(range)?;
                None
            }
            GrpcMessage::ModelInferResponse => {
                Message::new(&frame, &mut feed).response(range)?;
                None
            }
            GrpcMessage::ModelStreamInferResponse => {
                Message::new(&frame, &mut feed).stream_response(range)?
            }
            GrpcMessage::Status | GrpcMessage::Any => {
                Any::read(&frame, range, engine)?.feed(&mut feed);
                None
            }
        };
        feed.end_counted(frame.len());
        feed.end();
        if let Some(over) = over {
            self.texts.finish(engine, counts, |owner| *owner == over);
        }
        self.texts.release(engine, counts, out);
        Ok(())
    }
}
