//! The walker of a body, whatever its format.

use super::amazon::AmazonEvents;
use super::counts::Counts;
use super::error::WalkError;
use super::findings::Findings;
use super::format::{Format, Framing};
use super::front::Called;
use super::grpc::Grpc;
use super::markup::Markup;
use super::multipart::Multipart;
use super::tensors::Tensors;
use super::trailer::Value;
use super::unsure::Unsure;
use super::walk::{Job, Walk};
use crate::{CompiledMask, Originals};

/// What tells UTF-16 and UTF-32 from UTF-8.
const FRONT_BYTES: usize = 4;

/// Masks one body.
#[derive(Clone, Debug, PartialEq)]
pub struct Walker {
    kind: Kind,
    found: Findings,
    framing: Framing,
    /// What the body begins with. Until it is known, nothing is passed on.
    front: Vec<u8>,
    /// No more of the body comes.
    ended: bool,
    /// Why nothing more of the body can be masked.
    failed: Option<WalkError>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Unsure(Box<Unsure>),
    Markup(Box<Markup>),
    Multipart(Box<Multipart<Kind>>),
    AmazonEvents(Box<AmazonEvents<Kind>>),
    Grpc(Box<Grpc>),
    Tensors(Box<Tensors>),
    Trailer(Box<Value>),
}

impl Walker {
    /// A walker for a body that has not begun.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self::framed(format, Framing::default())
    }

    /// As [`Self::new`], with what else is known of the body.
    #[must_use]
    pub fn framed(format: Format, framing: Framing) -> Self {
        Self {
            kind: Kind::new(format, framing),
            found: Findings::default(),
            framing,
            front: Vec::new(),
            ended: false,
            failed: None,
        }
    }

    /// The same, which besides keeps what the pseudonyms that it writes stand for.
    #[must_use]
    pub fn noting(mut self) -> Self {
        self.found.originals = Some(Box::default());
        self
    }

    /// What the pseudonyms stand for that were written so far, if the walker is [`Walker::noting`].
    /// It keeps none from now on.
    pub fn take_originals(&mut self) -> Originals {
        self.found
            .originals
            .take()
            .map(|it| *it)
            .unwrap_or_default()
    }

    /// Takes the next piece of the body and appends what is decided to `out`.
    ///
    /// # Errors
    /// The body cannot be masked. What is in `out` is masked and may be sent; nothing more will
    /// come.
    pub fn push(
        &mut self,
        mask: &CompiledMask,
        piece: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), WalkError> {
        let room = self.wanted_front();
        let (front, rest) = piece.split_at(room.min(piece.len()));
        if room > 0 {
            self.front.extend_from_slice(front);
            if !self.could_be_utf8() {
                self.failed.get_or_insert(WalkError::Malformed);
            }
            if self.wanted_front() > 0 && self.failed.is_none() {
                return Ok(());
            }
            let front = self.front.clone();
            self.attempt(mask, out, |walker, job| walker.push(&front, job))?;
        }
        if rest.is_empty() {
            return self.failed.map_or(Ok(()), Err);
        }
        self.attempt(mask, out, |walker, job| walker.push(rest, job))
    }

    /// The body ends here, behind its last byte or at its trailers.
    ///
    /// # Errors
    /// As for [`Walker::push`].
    pub fn finish(&mut self, mask: &CompiledMask, out: &mut Vec<u8>) -> Result<(), WalkError> {
        if self.wanted_front() > 0 {
            let front = self.front.clone();
            self.ended = true;
            self.attempt(mask, out, |walker, job| walker.push(&front, job))?;
        }
        self.attempt(mask, out, |walker, job| walker.finish(job))
    }

    /// Whether the body could be UTF-8, by how it begins: some readers of JSON find out by themselves
    /// that it is UTF-16 or UTF-32, in which nothing would be found here.
    fn could_be_utf8(&self) -> bool {
        let marked = matches!(self.front.first(), Some(0xFE | 0xFF));
        !marked && !self.front.contains(&0)
    }

    fn attempt(
        &mut self,
        mask: &CompiledMask,
        out: &mut Vec<u8>,
        call: impl FnOnce(&mut dyn Walk, &mut Job<'_>) -> Result<(), WalkError>,
    ) -> Result<(), WalkError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let found = &mut self.found;
        let job = &mut Job {
            mask,
            out,
            found,
            layout: self.framing.layout,
            most: self.framing.most,
        };
        let outcome = call(self.kind.walker_mut(), job);
        self.failed = outcome.err();
        outcome
    }

    /// The bytes of the body that are held back now.
    #[must_use]
    pub fn held(&self) -> usize {
        let front = match self.wanted_front() {
            0 => 0,
            _ => self.front.len(),
        };
        front + self.kind.walker().held()
    }

    /// How many more bytes of the body's beginning are to be known before any is passed on.
    fn wanted_front(&self) -> usize {
        if self.ended || !self.kind.is_text() {
            return 0;
        }
        FRONT_BYTES.saturating_sub(self.front.len())
    }

    /// Whether what has come shows that the body is what its head says. Until then, whoever sends
    /// it on should keep its head: the body may turn out to be unreadable from its first byte. A
    /// body that has ended shows it. Of a text, the first bytes show whether it is UTF-8; other formats
    /// without checksums have nothing to show.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        match &self.kind {
            Kind::AmazonEvents(it) => it.is_proven(),
            _ => self.wanted_front() == 0,
        }
    }

    /// What a body of [`Format::Json`], [`Format::Text`] or [`Format::Html`] has turned out to be, if that is
    /// [`Format::Events`] or [`Format::Lines`].
    #[must_use]
    pub fn turned_out(&self) -> Option<Format> {
        match &self.kind {
            Kind::Unsure(it) => it.turned_out(),
            _ => None,
        }
    }

    /// How many bytes of JSON stand in front of the tensors in what is written, in a body of
    /// [`Format::Tensors`]. It is known once something is written.
    #[must_use]
    pub fn json_bytes(&self) -> Option<usize> {
        match &self.kind {
            Kind::Tensors(it) => it.json_bytes(),
            _ => None,
        }
    }

    /// As many bytes of JSON come in a body of [`Format::Tensors`], whatever its head said. To be
    /// called before any of it comes.
    pub(crate) fn set_json_bytes(&mut self, bytes: usize) {
        if let Kind::Tensors(it) = &mut self.kind {
            it.set_json_bytes(bytes);
        }
    }

    /// What was replaced so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.found.counts
    }
}

impl Kind {
    fn new(format: Format, framing: Framing) -> Self {
        match format {
            Format::Json => Self::called(Called::Json),
            Format::Events => Self::called(Called::Events),
            Format::Lines => Self::called(Called::Lines),
            Format::Text => Self::called(Called::Text),
            Format::Html => Self::called(Called::Html),
            Format::Xml => Self::Markup(Box::new(Markup::new(true))),
            Format::AmazonEvents => Self::AmazonEvents(Box::new(AmazonEvents::new(framing))),
            Format::Multipart(boundary) => {
                Self::Multipart(Box::new(Multipart::new(boundary, framing)))
            }
            Format::Grpc(message) => Self::Grpc(Box::new(Grpc::new(message, framing))),
            Format::Tensors(frame) => {
                Self::Tensors(Box::new(Tensors::new(frame, framing.most_held)))
            }
            Format::Trailer(trailer) => Self::Trailer(Box::new(Value::new(trailer))),
        }
    }

    fn called(called: Called) -> Self {
        Self::Unsure(Box::new(Unsure::new(called)))
    }

    /// Whether the whole body is text.
    fn is_text(&self) -> bool {
        matches!(self, Self::Unsure(_) | Self::Markup(_))
    }

    fn walker(&self) -> &dyn Walk {
        match self {
            Self::Unsure(it) => &**it,
            Self::Markup(it) => &**it,
            Self::Multipart(it) => &**it,
            Self::AmazonEvents(it) => &**it,
            Self::Grpc(it) => &**it,
            Self::Tensors(it) => &**it,
            Self::Trailer(it) => &**it,
        }
    }

    fn walker_mut(&mut self) -> &mut dyn Walk {
        match self {
            Self::Unsure(it) => &mut **it,
            Self::Markup(it) => &mut **it,
            Self::Multipart(it) => &mut **it,
            Self::AmazonEvents(it) => &mut **it,
            Self::Grpc(it) => &mut **it,
            Self::Tensors(it) => &mut **it,
            Self::Trailer(it) => &mut **it,
        }
    }
}

/// A part of a multipart body.
impl From<Format> for Kind {
    fn from(format: Format) -> Self {
        Self::new(format, Framing::default())
    }
}

impl Walk for Kind {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        self.walker_mut().push(piece, job)
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        self.walker_mut().finish(job)
    }

    fn held(&self) -> usize {
        self.walker().held()
    }
}
