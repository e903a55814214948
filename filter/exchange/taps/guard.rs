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
use mask::{Format, Layout, OWN_SECRET, Scrub, Secrets, SpreadSecrets};

/// Writes asterisks over secrets.
#[derive(Debug)]
pub(super) struct Guard {
    secrets: Rc<Secrets>,
    /// Whether JSON may be lines of it.
    lines: bool,
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
    /// For a body in which no texts are read.
    pub(super) fn of_bytes(own: &OwnSecrets, unread: Unread, compiled: &CompiledPolicy) -> Self {
        Self {
            secrets: Rc::clone(&own.secrets),
            lines: false,
            spread: None,
            scrub: match unread {
                Unread::Body => Scrub::default(),
                Unread::Messages => Scrub::of_messages(),
            },
            share: compiled.buffers.share(),
        }
    }

    /// For a body that has texts, some of which no mask may have looked at. JSON and text whose head
    /// says how long it is (`sized`) is no stream.
    pub(super) fn of_texts(
        own: &OwnSecrets,
        form: TextForm,
        sized: bool,
        compiled: &CompiledPolicy,
    ) -> Self {
        let new = || SpreadSecrets::new(&own.mask, form.format, form.framing);
        Self {
            lines: form.framing.layout.is_some_and(Layout::has_lines),
            spread: match form.format {
                Format::Events | Format::Lines | Format::AmazonEvents => Some(Spread::Read(new())),
                Format::Text if !sized => Some(Spread::Read(new())),
                Format::Json if !sized => Some(Spread::Undecided(new())),
                _ => None,
            },
            ..Self::of_bytes(own, Unread::Body, compiled)
        }
    }

    /// Whether the body's length may change on its way, although no mask changes it: a secret with an
    /// escape in it gets shorter where texts are read.
    pub(super) fn may_resize(&self) -> bool {
        matches!(self.spread, Some(Spread::Read(_)))
    }

    /// Whether a body that is called JSON has turned out to be lines of it.
    pub(super) fn is_lines(&self) -> bool {
        matches!(&self.spread, Some(Spread::Read(spread)) if spread.is_lines())
    }

    /// The bytes that have come and are still to be written.
    pub(super) fn held(&self) -> usize {
        let spread = match &self.spread {
            Some(Spread::Read(spread)) => spread.held(),
            Some(Spread::Undecided(_)) | None => 0,
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

    /// Decides whether JSON has texts that go on in others: where it is an array, or may be
    /// lines of objects.
    fn decide(&mut self, piece: &[u8]) {
        let first = piece.iter().find(|byte| !byte.is_ascii_whitespace());
        let Some(first) = first else {
            return;
        };
        let goes_on = *first == b'[' || (*first == b'{' && self.lines);
        self.spread = match self.spread.take() {
            Some(Spread::Undecided(spread)) => goes_on.then_some(Spread::Read(spread)),
            decided => decided,
        };
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
        let mut out = Vec::with_capacity(piece.len().saturating_add(self.scrub.held()));
        self.scrub.push(&self.secrets, piece, end, &mut out);
        next(&out, end)
    }
}
