//! The way of a response's body.

use base::code::Code;
use std::rc::Rc;

use super::decode::Decode;
use super::guard::{Guard, Unread};
use super::mask::Mask;
use super::stage::Stage;
use super::usage::Usage;
use super::wanted::Wanted;
use crate::dialect::Body;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::media::TextForm;
use crate::record::{self, Record};
use coding::Coding;
use mask::Format;

/// The way of one body, as it streams.
#[derive(Debug)]
pub(in crate::exchange) struct ResponseTaps {
    decode: Option<Decode>,
    usage: Option<Usage>,
    mask: Option<Mask>,
    guard: Option<Guard>,
    /// Whether what the stages make of the body goes on in its place. If not, it goes as it comes,
    /// and is only looked at.
    changes: bool,
    /// Whether its last piece has come.
    ended: bool,
    /// How many bytes of JSON stand in front of tensors, as its head says.
    json_bytes: Option<usize>,
}

impl ResponseTaps {
    /// For a body of which nothing has come; `sized` if its head says how long it is.
    ///
    /// # Errors
    /// The code of the refusal.
    pub(in crate::exchange) fn new(
        form: TextForm,
        sized: bool,
        (wanted, body): (&Wanted, &Body),
        compiled: &Rc<CompiledPolicy>,
    ) -> Result<Self, Code> {
        let masks = wanted.masks(compiled).ok_or(Code::MaskUnavailable)?;
        // To be kept, it isn't decoded.
        let read = wanted.is_mask() || compiled.own_secrets.is_some() || !wanted.is_kept();
        let coding = form.coding.filter(|_| read);
        Ok(Self {
            decode: coding
                .map(|coding| Decode::new(coding, compiled.buffers.share()))
                .transpose()?,
            usage: match form.coding {
                Some(_) if !read => None,
                _ => Usage::of(body, form.format),
            },
            mask: wanted
                .is_mask()
                .then(|| Mask::new(form, wanted, compiled).ok_or(Code::MaskUnavailable))
                .transpose()?,
            // Behind a mask, too: not all that a body has is a text.
            guard: compiled.own_secrets.as_ref().map(|own| {
                match wanted.is_mask() && masks.may_change() {
                    true => Guard::of_bytes(own, Unread::Body, compiled),
                    false => Guard::of_texts(own, form, sized, compiled),
                }
            }),
            changes: wanted.is_change(masks),
            ended: false,
            json_bytes: match form.format {
                Format::Tensors(frame) => Some(frame.json_bytes),
                _ => None,
            },
        })
    }

    /// For a body in which no texts are read, and of which nothing has come; `None` if nothing is
    /// wanted of such a body.
    ///
    /// # Errors
    /// The code of the refusal.
    pub(in crate::exchange) fn unread(
        unread: Unread,
        coding: Option<Coding>,
        kept: bool,
        compiled: &Rc<CompiledPolicy>,
    ) -> Result<Option<Self>, Code> {
        let own = compiled.own_secrets.as_ref();
        if own.is_none() && !kept {
            return Ok(None);
        }
        Ok(Some(Self {
            decode: coding
                .filter(|_| own.is_some())
                .map(|coding| Decode::new(coding, compiled.buffers.share()))
                .transpose()?,
            usage: None,
            mask: None,
            guard: own.map(|own| Guard::of_bytes(own, unread, compiled)),
            changes: false,
            ended: false,
            json_bytes: None,
        }))
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
        let out = if self.changes {
            self.change(piece, end)?
        } else if self.guard.is_some() {
            self.guard(piece, end)?
        } else {
            self.look(piece, end)?;
            piece.to_vec()
        };
        if end {
            // It holds a window that nothing refers to any more.
            self.decode = None;
        }
        record.note_received(piece.len());
        Ok(out)
    }

    /// Whether the body may still turn out to be none that can be masked, by its first bytes. As long
    /// as it may, nothing of it has been given.
    pub(in crate::exchange) fn wants_proof(&self) -> bool {
        self.changes && self.mask.as_ref().is_some_and(|mask| !mask.is_proven())
    }

    /// The stream that a body has turned out to be which is called JSON or text.
    pub(in crate::exchange) fn turned_out(&self) -> Option<Format> {
        let guarded = || self.guard.as_ref().and_then(Guard::turned_out);
        self.mask
            .as_ref()
            .and_then(Mask::turned_out)
            .or_else(guarded)
    }

    /// What the body becomes under a mask.
    fn change(&mut self, piece: &[u8], end: bool) -> Result<Vec<u8>, Code> {
        let Self {
            decode,
            usage,
            mask,
            guard,
            ..
        } = self;
        let mut out = Vec::new();
        // What only looks at what the model server says stands between the two.
        decode.push(piece, end, &mut |piece, end| {
            look_for(usage, piece);
            mask.push(piece, end, &mut |piece, end| {
                guard.push(piece, end, &mut |piece, _| {
                    out.extend_from_slice(piece);
                    Ok(())
                })
            })
        })?;
        Ok(out)
    }

    /// What it becomes where nothing but the guard's own secrets is changed.
    fn guard(&mut self, piece: &[u8], end: bool) -> Result<Vec<u8>, Code> {
        let Self {
            decode,
            usage,
            mask,
            guard,
            ..
        } = self;
        let mut out = Vec::new();
        decode.push(piece, end, &mut |piece, end| {
            look_for(usage, piece);
            only_look(mask.push(piece, end, &mut |_, _| Ok(())))?;
            guard.push(piece, end, &mut |piece, _| {
                out.extend_from_slice(piece);
                Ok(())
            })
        })?;
        Ok(out)
    }

    /// Counts what is in a body that goes on as it comes.
    fn look(&mut self, piece: &[u8], end: bool) -> Result<(), Code> {
        let Self {
            decode,
            usage,
            mask,
            ..
        } = self;
        only_look(decode.push(piece, end, &mut |piece, end| {
            look_for(usage, piece);
            mask.push(piece, end, &mut |_, _| Ok(()))
        }))
    }

    /// Whether the body goes as it comes, whatever is in it.
    pub(in crate::exchange) fn only_look(&self) -> bool {
        !self.changes && self.guard.is_none()
    }

    /// Whether something is looked for in it as the rule says.
    pub(in crate::exchange) fn is_masked(&self) -> bool {
        self.mask.is_some()
    }

    /// Whether the body leaves with other bytes than it came with, or may, although nothing is wrong
    /// with it.
    pub(in crate::exchange) fn rewrites(&self) -> bool {
        let guard = self.guard.as_ref();
        self.changes || guard.is_some_and(|guard| self.decode.is_some() || guard.may_resize())
    }

    /// Whether something that has come is still to be written. A decoder gives all that it has at
    /// once, or at the stream's own end, so it holds nothing that trailers could cut off.
    pub(in crate::exchange) fn holds(&self) -> bool {
        let mask = self.mask.as_ref();
        let guard = self.guard.as_ref();
        (self.changes && mask.is_some_and(|mask| mask.held() > 0))
            || guard.is_some_and(|guard| guard.held() > 0)
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
        if let Some(usage) = &self.usage {
            response.tokens = record::Tokens::of(usage.counts());
        }
        if let Some(mask) = &self.mask {
            mask.note(response);
        }
        if let Some(guard) = &self.guard {
            guard.note(response);
        }
    }
}

fn look_for(usage: &mut Option<Usage>, piece: &[u8]) {
    if let Some(usage) = usage {
        usage.look(piece);
    }
}

/// Nothing is refused for what could only have been counted; but whoever only counts must not miss
/// what comes while there is no room, either.
fn only_look(result: Result<(), Code>) -> Result<(), Code> {
    match result {
        Err(Code::BuffersFull) => result,
        _ => Ok(()),
    }
}
