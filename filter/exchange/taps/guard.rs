//! A response's body without the guard's own secrets, whatever else is done with it.

use base::code::Code;
use std::borrow::Cow;
use std::rc::Rc;

use super::mask::code_of;
use super::stage::{Next, Stage};
use crate::exchange::buffers::Share;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::media::TextForm;
use crate::exchange::own_secrets::OwnSecrets;
use crate::record;
use mask::{
    Called, Format, Front, GrpcMessage, Layout, OWN_SECRET, Scrub, Secrets, Shape, SpreadSecrets,
};

/// Writes asterisks over secrets.
#[derive(Debug)]
pub(super) struct Guard {
    secrets: Rc<Secrets>,
    /// Whether JSON may be lines of it.
    lines: bool,
    /// Whether the body may get another length.
    resizes: bool,
    spread: Option<Spread>,
    scrub: Scrub,
    /// For what waits of texts.
    share: Share,
}

/// Texts that go on from event to event.
#[derive(Debug)]
enum Spread {
    /// JSON or text that may have such texts.
    Undecided(Box<(Front, SpreadSecrets)>),
    Read(Box<SpreadSecrets>),
}

/// How bytes without texts come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum Unread {
    /// As a body.
    Body,
    /// As messages, to which the client may answer.
    Messages,
}

impl Guard {
    /// For a body in which no texts are read here: there are none, or a mask that changes it has looked at
    /// them.
    pub(super) fn of_bytes(own: &OwnSecrets, unread: Unread, compiled: &CompiledPolicy) -> Self {
        Self {
            secrets: Rc::clone(&own.secrets),
            lines: false,
            resizes: false,
            spread: None,
            scrub: match unread {
                Unread::Body => Scrub::default(),
                Unread::Messages => Scrub::of_messages(),
            },
            share: compiled.buffers.share(),
        }
    }

    /// For a body that has texts at which no mask has looked. JSON and text keep their length where the
    /// head says what that is (`sized`).
    pub(super) fn of_texts(
        own: &OwnSecrets,
        form: TextForm,
        sized: bool,
        compiled: &CompiledPolicy,
    ) -> Self {
        let new = || SpreadSecrets::new(&own.mask, form.format, form.framing);
        let read = || Some(Spread::Read(Box::new(new())));
        let sized = sized && matches!(form.format, Format::Json | Format::Text | Format::Html);
        let undecided = |called| {
            let spread = if sized { new().sized() } else { new() };
            Spread::Undecided(Box::new((Front::new(called), spread)))
        };
        Self {
            lines: form.framing.layout.is_some_and(Layout::has_lines),
            resizes: !sized && !matches!(form.format, Format::Json | Format::Html),
            spread: match form.format {
                Format::Events | Format::Lines | Format::AmazonEvents => read(),
                // Answers of the others are one message.
                Format::Grpc(GrpcMessage::ModelStreamInferResponse | GrpcMessage::Any) => read(),
                Format::Text => Some(undecided(Called::Text)),
                Format::Html => Some(undecided(Called::Html)),
                Format::Json => Some(undecided(Called::Json)),
                _ => None,
            },
            ..Self::of_bytes(own, Unread::Body, compiled)
        }
    }

    /// Whether the body's length may change on its way, although no mask changes it: a secret with an
    /// escape in it gets shorter where texts are read.
    pub(super) fn may_resize(&self) -> bool {
        self.resizes && self.spread.is_some()
    }

    /// The stream that a body has turned out to be which is called JSON or text.
    pub(super) fn turned_out(&self) -> Option<Format> {
        match &self.spread {
            Some(Spread::Read(spread)) => spread.turned_out(),
            Some(Spread::Undecided(_)) | None => None,
        }
    }

    /// The bytes that have come and are still to be written.
    pub(super) fn held(&self) -> usize {
        let spread = match &self.spread {
            Some(Spread::Read(spread)) => spread.held(),
            Some(Spread::Undecided(undecided)) => undecided.0.held(),
            None => 0,
        };
        spread.saturating_add(self.scrub.held())
    }

    /// Writes what was found into the record.
    pub(super) fn note(&self, response: &mut record::Response) {
        let spread = match &self.spread {
            Some(Spread::Read(spread)) => spread.found(),
            Some(Spread::Undecided(_)) | None => 0,
        };
        note(spread.saturating_add(self.scrub.found()), response);
    }

    /// Decides whether JSON or text has texts that go on in others. Gives back what has come of it once
    /// that is known.
    fn decide<'a>(&mut self, piece: &'a [u8], end: bool) -> Option<Cow<'a, [u8]>> {
        let Some(Spread::Undecided(undecided)) = &mut self.spread else {
            return Some(Cow::Borrowed(piece));
        };
        let (front, _) = &mut **undecided;
        if !end && front.blanks(piece) == piece.len() {
            return Some(Cow::Borrowed(piece));
        }
        let fresh = front.held() == 0;
        let (taken, shape) = front.push(piece, self.lines);
        let shape = shape.or_else(|| end.then(|| front.end()))?;
        let mut held = front.take();
        let goes_on = match shape {
            Shape::Text | Shape::Html => false,
            Shape::Json => may_be_array_of_objects(&held),
            Shape::Values | Shape::Lines | Shape::CodedLines | Shape::Events => true,
        };
        self.spread = match self.spread.take() {
            Some(Spread::Undecided(undecided)) if goes_on => {
                Some(Spread::Read(Box::new(undecided.1)))
            }
            _ => None,
        };
        if fresh {
            return Some(Cow::Borrowed(piece));
        }
        held.extend_from_slice(piece.get(taken..).unwrap_or_default());
        Some(Cow::Owned(held))
    }
}

/// Whether JSON that begins so is an array of objects, as which Gemini streams, or may be.
fn may_be_array_of_objects(json: &[u8]) -> bool {
    let mut marks = json.iter().filter(|byte| !byte.is_ascii_whitespace());
    marks.next() == Some(&b'[') && marks.next().is_none_or(|mark| *mark == b'{')
}

/// Adds secrets to what a record says was found.
pub(in crate::exchange) fn note(found: u64, response: &mut record::Response) {
    if found > 0 {
        let total = response.matches.entry(OWN_SECRET.to_owned()).or_default();
        *total = total.saturating_add(found);
    }
}

impl Stage for Guard {
    fn push(&mut self, piece: &[u8], end: bool, next: &mut Next<'_>) -> Result<(), Code> {
        let Some(piece) = self.decide(piece, end) else {
            return Ok(());
        };
        let mut texts = Vec::new();
        let mut piece: &[u8] = &piece;
        if let Some(Spread::Read(spread)) = &mut self.spread {
            spread.push(piece, end, &mut texts).map_err(code_of)?;
            // A body takes twice what it holds: what holds it doubles as it grows.
            let buffered = spread.buffered().saturating_mul(2);
            self.share.resize(buffered).map_err(|_| Code::BuffersFull)?;
            piece = &texts;
        }
        if self.scrub.lets_pass(&self.secrets, piece, end) {
            return next(piece, end);
        }
        let mut out = Vec::with_capacity(piece.len().saturating_add(self.scrub.held()));
        self.scrub.push(&self.secrets, piece, end, &mut out);
        next(&out, end)
    }
}
