//! A response's body without the guard's own secrets, whatever else is done with it.

use base::code::Code;
use std::rc::Rc;

use super::mask::code_of;
use super::stage::{Next, Stage};
use crate::exchange::buffers::Share;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::media::TextForm;
use crate::exchange::own_secrets::OwnSecrets;
use crate::record;
use mask::{
    Format, GrpcMessage, Layout, OWN_SECRET, Scrub, Secrets, SpreadSecrets, may_be_coded_lines,
};

/// Writes asterisks over secrets.
#[derive(Debug)]
pub(super) struct Guard {
    secrets: Rc<Secrets>,
    /// Whether JSON may be lines of it.
    lines: bool,
    /// Whether the body keeps its length.
    sized: bool,
    spread: Option<Spread>,
    scrub: Scrub,
    /// For what waits of texts.
    share: Share,
}

/// Texts that go on from event to event.
#[derive(Debug)]
enum Spread {
    /// JSON of which nothing but white space has come: it may be an array of chunks, as which Gemini
    /// streams, lines, or any other.
    Undecided(SpreadSecrets),
    /// Text of which nothing has come: it may be the AI SDK's lines, or any other.
    UndecidedText(SpreadSecrets),
    Read(SpreadSecrets),
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
            sized: false,
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
        let sized = sized && matches!(form.format, Format::Json | Format::Text);
        let fitting = || if sized { new().sized() } else { new() };
        Self {
            lines: form.framing.layout.is_some_and(Layout::has_lines),
            sized,
            spread: match form.format {
                Format::Events | Format::Lines | Format::AmazonEvents => Some(Spread::Read(new())),
                // Answers of the others are one message.
                Format::Grpc(GrpcMessage::ModelStreamInferResponse | GrpcMessage::Any) => {
                    Some(Spread::Read(new()))
                }
                Format::Text if sized => Some(Spread::UndecidedText(fitting())),
                Format::Text => Some(Spread::Read(new())),
                Format::Json => Some(Spread::Undecided(fitting())),
                _ => None,
            },
            ..Self::of_bytes(own, Unread::Body, compiled)
        }
    }

    /// Whether the body's length may change on its way, although no mask changes it: a secret with an
    /// escape in it gets shorter where texts are read.
    pub(super) fn may_resize(&self) -> bool {
        !self.sized && matches!(self.spread, Some(Spread::Read(_)))
    }

    /// Whether a body that is called JSON has turned out to be lines of it.
    pub(super) fn is_lines(&self) -> bool {
        matches!(&self.spread, Some(Spread::Read(spread)) if spread.is_lines())
    }

    /// The bytes that have come and are still to be written.
    pub(super) fn held(&self) -> usize {
        let spread = match &self.spread {
            Some(Spread::Read(spread)) => spread.held(),
            Some(Spread::Undecided(_) | Spread::UndecidedText(_)) | None => 0,
        };
        spread.saturating_add(self.scrub.held())
    }

    /// Writes what was found into the record.
    pub(super) fn note(&self, response: &mut record::Response) {
        let spread = match &self.spread {
            Some(Spread::Read(spread)) => spread.found(),
            Some(Spread::Undecided(_) | Spread::UndecidedText(_)) | None => 0,
        };
        note(spread.saturating_add(self.scrub.found()), response);
    }

    /// Decides whether JSON or text has texts that go on in others.
    fn decide(&mut self, piece: &[u8]) {
        self.spread = match self.spread.take() {
            Some(Spread::UndecidedText(spread)) if !piece.is_empty() => {
                may_be_coded_lines(piece).then_some(Spread::Read(spread))
            }
            Some(Spread::Undecided(spread)) => match self.goes_on(piece) {
                Some(goes_on) => goes_on.then_some(Spread::Read(spread)),
                None => Some(Spread::Undecided(spread)),
            },
            decided => decided,
        };
    }

    /// Whether JSON that begins so has such texts, or may: where it is an array of objects, or may be lines
    /// of them.
    fn goes_on(&self, piece: &[u8]) -> Option<bool> {
        let mut marks = piece.iter().filter(|byte| !byte.is_ascii_whitespace());
        let goes_on = match marks.next()? {
            b'[' => marks.next().is_none_or(|mark| *mark == b'{'),
            first => *first == b'{' && self.lines,
        };
        Some(goes_on)
    }
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
        self.decide(piece);
        let mut texts = Vec::new();
        let mut piece = piece;
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
