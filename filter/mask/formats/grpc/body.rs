//! The walker of a gRPC body, frame by frame.

use super::super::entry_writer::EntryWriter;
use super::super::pending_entries::Length;
use super::super::texts::Texts;
use super::super::walk::{Job, Walk};
use super::super::{Framing, GrpcMessage, WalkError};
use super::any::Any;
use super::fields;
use super::frame::{COMPRESSED, HEADER_BYTES, TRAILERS, framed};
use super::message::Message;
use super::trailers;

/// The longest message, in bytes; gRPC libraries take no longer ones either unless told to.
pub(super) const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Masks a gRPC body.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) struct Grpc {
    message: GrpcMessage,
    framing: Framing,
    /// The frame whose end has not come.
    frame: Vec<u8>,
    texts: Texts,
}

impl Walk for Grpc {
    fn push(&mut self, mut piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let wanted = match self.length()? {
                None => HEADER_BYTES,
                Some(length) => HEADER_BYTES + length,
            };
            let (now, later) = piece.split_at(piece.len().min(wanted - self.frame.len()));
            self.frame.extend_from_slice(now);
            piece = later;
            if self
                .length()?
                .is_some_and(|length| self.frame.len() == HEADER_BYTES + length)
            {
                self.end_frame(job)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        self.texts.finish(job.mask, job.found, |_| true);
        self.texts.release(job.mask, job.found, job.out);
        if self.frame.is_empty() {
            Ok(())
        } else {
            Err(WalkError::Truncated)
        }
    }

    fn held(&self) -> usize {
        self.frame.len() + self.texts.pending.size()
    }
}

impl Grpc {
    pub(in crate::formats) fn new(message: GrpcMessage, framing: Framing) -> Self {
        Self {
            message,
            framing,
            frame: Vec::new(),
            texts: Texts::in_any_order(),
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
        if length > MAX_MESSAGE_BYTES {
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
        let message = frame.get(HEADER_BYTES..).unwrap_or_default();
        let decoded =
            coding::whole(coding, message, MAX_MESSAGE_BYTES).map_err(|error| match error {
                coding::Error::TooLarge | coding::Error::NoRoom => WalkError::TooLarge,
                coding::Error::Malformed | coding::Error::Truncated => WalkError::Malformed,
            })?;
        framed(0, &decoded).ok_or(WalkError::TooLarge)
    }

    fn end_frame(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut frame = self.take_frame()?;
        let trailers = frame.first() == Some(&TRAILERS);
        // The paths are those of the answer's messages.
        let answer = !trailers && self.message != GrpcMessage::Status;
        if answer && !job.mask.removed_of_grpc().is_empty() {
            frame = fields::without(&frame, job.mask.removed_of_grpc())?;
        }
        let range = (HEADER_BYTES, frame.len());
        let mut writer = EntryWriter::new(&mut self.texts, job.mask, job.found, &frame);
        writer.begin_counted(Length::Big32, (1, HEADER_BYTES), frame.len() - HEADER_BYTES);
        let over = match self.message {
            _ if trailers => {
                trailers::feed(&mut writer, range);
                None
            }
            GrpcMessage::ModelInferRequest => {
                Message::new(&frame, &mut writer).request(range)?;
                None
            }
            GrpcMessage::ModelInferResponse => {
                Message::new(&frame, &mut writer).response(range)?;
                None
            }
            GrpcMessage::ModelStreamInferResponse => {
                Message::new(&frame, &mut writer).stream_response(range)?
            }
            GrpcMessage::Status | GrpcMessage::Any => {
                Any::read(&frame, range, job.mask.matcher())?.feed(&mut writer);
                None
            }
        };
        writer.end_counted(frame.len());
        writer.end();
        if let Some(over) = over {
            self.texts
                .finish(job.mask, job.found, |owner| *owner == over);
        }
        self.texts.release(job.mask, job.found, job.out);
        Ok(())
    }
}
