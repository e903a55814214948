//! A response's body under its mask.

use base::code::Code;
use std::rc::Rc;

use super::stage::{Next, Stage};
use super::wanted::Wanted;
use crate::exchange::buffers::Share;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::media::TextForm;
use crate::record;
use mask::{Format, Pass, Stop, WalkError};

/// Room in what a piece becomes, for replacements that are longer than what they replace.
const ROOM: usize = 512;

/// How much memory a byte takes that is held: what holds it doubles as it grows.
const HELD_FACTOR: usize = 2;

/// Masks a body.
#[derive(Debug)]
pub(super) struct Mask {
    compiled: Rc<CompiledPolicy>,
    wanted: Wanted,
    pass: Pass,
    /// For what waits in the pass.
    share: Share,
}

impl Mask {
    /// `None` if the plan that is wanted does not exist.
    pub(super) fn new(
        form: TextForm,
        wanted: &Wanted,
        compiled: &Rc<CompiledPolicy>,
    ) -> Option<Self> {
        let masks = wanted.masks(compiled)?;
        let pass = Pass::new(masks, (form.format, form.framing), wanted.originals());
        Some(Self {
            compiled: Rc::clone(compiled),
            wanted: wanted.clone(),
            pass,
            share: compiled.buffers.share(),
        })
    }

    /// Whether what has come shows that the body is what its head says.
    pub(super) fn is_proven(&self) -> bool {
        self.pass.is_proven()
    }

    /// The stream that a body has turned out to be which is called JSON or text.
    pub(super) fn turned_out(&self) -> Option<Format> {
        self.pass.turned_out()
    }

    /// The bytes that have come and are still to be written.
    pub(super) fn held(&self) -> usize {
        self.pass.held()
    }

    /// How many bytes of JSON stand in front of the tensors in what is written; none as long as that
    /// isn't known, or where there are none.
    pub(super) fn json_bytes(&self) -> Option<usize> {
        self.pass.json_bytes()
    }

    /// Detectors that found something for which the response waits for a person.
    pub(super) fn found_for_a_person(&self) -> Vec<String> {
        let masks = self.wanted.masks(&self.compiled);
        masks.map_or_else(Vec::new, |masks| {
            self.pass.gated(masks).into_keys().collect()
        })
    }

    /// Writes what was found into the record.
    pub(super) fn note(&self, response: &mut record::Response) {
        if let Some(masks) = self.wanted.masks(&self.compiled) {
            response.matches = self.pass.matches(masks);
            response.alerts = self.pass.alerts(masks);
        }
        response.restored = self.pass.restored();
    }
}

impl Stage for Mask {
    fn push(&mut self, piece: &[u8], end: bool, next: &mut Next<'_>) -> Result<(), Code> {
        let masks = self.wanted.masks(&self.compiled);
        let masks = masks.ok_or(Code::MaskUnavailable)?;
        // What waited of earlier pieces comes on top.
        let room = piece.len().saturating_add(self.pass.held());
        let mut out = Vec::with_capacity(room.saturating_add(ROOM));
        self.pass.push(masks, piece, &mut out).map_err(code)?;
        if end {
            self.pass.finish(masks, &mut out).map_err(code)?;
        }
        let held = self.pass.buffered().saturating_mul(HELD_FACTOR);
        self.share.resize(held).map_err(|_| Code::BuffersFull)?;
        next(&out, end)
    }
}

fn code(stop: Stop) -> Code {
    match stop {
        Stop::Cut => Code::MatchWithheld,
        Stop::Walk(error) => code_of(error),
    }
}

/// What a body that can't be read is refused with.
pub(super) fn code_of(error: WalkError) -> Code {
    match error {
        WalkError::TooLarge => Code::PieceTooLarge,
        WalkError::TooManyTexts => Code::TooManyTexts,
        WalkError::Compressed => Code::MessageCompressed,
        WalkError::Malformed => Code::MessageMalformed,
        WalkError::Truncated => Code::MessageTruncated,
        WalkError::UnknownPart => Code::PartNotMaskable,
    }
}
