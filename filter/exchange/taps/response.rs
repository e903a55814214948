//! The way of a response's body.

use base::code::Code;
use std::rc::Rc;

use super::decode::Decode;
use super::mask::Mask;
use super::stage::Stage;
use super::wanted::Wanted;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::media::TextForm;
use crate::record::{self, Record};
use mask::Format;

/// The way of one body, as it streams.
#[derive(Debug)]
pub(in crate::exchange) struct ResponseTaps {
    decode: Option<Decode>,
    mask: Option<Mask>,
    /// Whether what the stages make of the body goes on in its place. If not, it goes as it comes,
    /// and is only looked at.
    changes: bool,
    /// Whether its last piece has come.
    ended: bool,
    /// How many bytes of JSON stand in front of tensors, as its head says.
    json_bytes: Option<usize>,
}

impl ResponseTaps {
    /// For a body of which nothing has come.
    ///
    /// # Errors
    /// The code of the refusal.
    pub(in crate::exchange) fn new(
        form: TextForm,
        wanted: &Wanted,
        compiled: &Rc<CompiledPolicy>,
    ) -> Result<Self, Code> {
        let masks = wanted.masks(compiled).ok_or(Code::MaskUnavailable)?;
        Ok(Self {
            decode: form
                .coding
                .map(|coding| Decode::new(coding, compiled.buffers.share()))
                .transpose()?,
            mask: wanted
                .is_mask()
                .then(|| Mask::new(form, wanted, compiled).ok_or(Code::MaskUnavailable))
                .transpose()?,
            changes: wanted.is_change(masks),
            ended: false,
            json_bytes: match form.format {
                Format::Tensors(frame) => Some(frame.json_bytes),
                _ => None,
            },
        })
    }

    /// Takes the next piece, the last one if `end`, and gives what becomes of it; that much came
    /// is noted here, and what is sent of it by who sends it.
    ///
    /// # Errors
    /// The code of what is wrong with it.
    pub(in crate::exchange) fn push(
        &mut self,
        piece: &[u8],
        end: bool,
        record: &mut Record,
    ) -> Result<Vec<u8>, Code> {
        if self.ended {
            // Its head said how long it is.
            return match piece {
                [] => Ok(Vec::new()),
                _ => Err(Code::BodyTooLong),
            };
        }
        self.ended = end;
        let Self { decode, mask, .. } = self;
        let mut out = Vec::new();
        // What only looks at what the model server says stands between the two.
        let result = decode.push(piece, end, &mut |piece, end| {
            mask.push(piece, end, &mut |piece, _| {
                out.extend_from_slice(piece);
                Ok(())
            })
        });
        match result {
            // Whoever only counts must not miss what comes while there is no room, either.
            Err(code) if self.changes || code == Code::BuffersFull => return Err(code),
            // Nothing is refused for what could only have been counted.
            _ if !self.changes => out = piece.to_vec(),
            _ => {}
        }
        if end {
            // It holds a window that nothing refers to any more.
            self.decode = None;
        }
        record.note_received(piece.len());
        Ok(out)
    }

    /// Whether something that has come is still to be written. A decoder gives all that it has at
    /// once, or at the stream's own end, so it holds nothing that trailers could cut off.
    pub(in crate::exchange) fn holds(&self) -> bool {
        self.changes && self.mask.as_ref().is_some_and(|mask| mask.held() > 0)
    }

    /// Whether what has come of the body doesn't show yet what its head has to say of it.
    pub(in crate::exchange) fn measures(&self) -> bool {
        let known = || self.mask.as_ref().and_then(Mask::json_bytes);
        self.changes && self.json_bytes.is_some() && known().is_none()
    }

    /// How many bytes of JSON stand in front of the tensors, where that is not what its head says.
    pub(in crate::exchange) fn other_json_bytes(&self) -> Option<usize> {
        let said = self.json_bytes.filter(|_| self.changes)?;
        let known = self.mask.as_ref().and_then(Mask::json_bytes);
        known.filter(|bytes| *bytes != said)
    }

    /// Detectors that found something for which the response waits for a person.
    pub(in crate::exchange) fn found_for_a_person(&self) -> Vec<String> {
        let mask = self.mask.as_ref();
        mask.map_or_else(Vec::new, Mask::found_for_a_person)
    }

    /// Writes what was found into the record.
    pub(in crate::exchange) fn note(&self, response: &mut record::Response) {
        if let Some(mask) = &self.mask {
            mask.note(response);
        }
    }
}
