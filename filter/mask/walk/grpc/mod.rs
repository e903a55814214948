//! gRPC bodies: messages, each with a flag and its length in front.
//!
//! A message is held until it is complete, since its length comes first, and then until its texts
//! are decided. In a stream the text of an output's element goes on from message to message; what
//! matches over several is written in the one where it begins.

mod message;

#[cfg(test)]
mod tests;

use super::feed::Feed;
use super::queue::Length;
use super::texts::Texts;
use super::{Counts, GrpcMessage, WalkError};
use crate::mask::Engine;
use message::Message;

/// The flag and the length.
const HEADER: usize = 5;
/// The longest message, in bytes; gRPC libraries take no longer ones either unless told to.
const LONGEST: usize = 4 * 1024 * 1024;

/// Masks a gRPC body.
#[derive(Debug)]
pub(super) struct Grpc {
    message: GrpcMessage,
    /// The frame whose end has not come.
    frame: Vec<u8>,
    texts: Texts,
}

impl Grpc {
    pub(super) fn new(message: GrpcMessage) -> Self {
        Self {
            message,
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
        if self.message == GrpcMessage::Other {
            return Err(WalkError::UnknownMessage);
        }
        match self.frame.as_slice() {
            [] => Ok(None),
            [0, a, b, c, d, ..] => {
                let length =
                    usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
                if length > LONGEST {
                    Err(WalkError::TooLarge)
                } else {
                    Ok(Some(length))
                }
            }
            [0, ..] => Ok(None),
            [1, ..] => Err(WalkError::Compressed),
            _ => Err(WalkError::Malformed),
        }
    }

    fn end_frame(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let frame = std::mem::take(&mut self.frame);
        let range = (HEADER, frame.len());
        let mut feed = Feed::new(&mut self.texts, engine, counts, &frame);
        feed.begin_counted(Length::Big32, (1, HEADER), frame.len() - HEADER);
        let message = Message::new(&frame, &mut feed);
        let over = match self.message {
            GrpcMessage::ModelInferResponse => {
                message.response(range)?;
                None
            }
            GrpcMessage::ModelStreamInferResponse => message.stream_response(range)?,
            GrpcMessage::Other => return Err(WalkError::UnknownMessage),
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
