//! Walkers: what of a response body is text, and what only carries it.
//!
//! Each takes a body in pieces of any size, gives the text in it to the matcher, and writes the
//! body again with what the matcher replaced. Everything else stays byte for byte.

mod base64;
mod body;
mod boundary;
mod counts;
mod entries;
mod entry_writer;
mod error;
mod escape;
mod event_template;
mod events;
mod fields;
mod format;
mod grammar;
mod grpc;
mod json;
mod json_array_stream;
mod lines;
mod markup;
mod media;
mod member;
mod multipart;
mod output;
mod pending_entries;
mod rewriter;
mod scalar;
mod stream_event;
mod texts;
mod trailer;
mod writing;

#[cfg(test)]
mod tests;

use crate::mask::CompiledMask;
use body::Body;
pub use boundary::Boundary;
pub use counts::Counts;
pub use error::WalkError;
use events::Events;
pub(super) use fields::Fields;
pub use format::{Format, Framing, GrpcMessage, Trailer};
use grpc::Grpc;
use lines::Lines;
use markup::Markup;
pub use media::Media;
use multipart::Multipart;
use output::{Direct, Place};
use rewriter::{Rewriter, Work};
use trailer::Value;
use writing::Writing;

/// Masks one body.
#[derive(Clone, Debug, PartialEq)]
pub struct Walker {
    kind: Kind,
    counts: Counts,
    /// Why nothing more of the body can be masked.
    failed: Option<WalkError>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Json(Box<Body>),
    Events(Box<Events>),
    Lines(Box<Lines>),
    Text(Box<Rewriter>),
    Markup(Box<Markup>),
    Multipart(Box<Multipart>),
    Grpc(Box<Grpc>),
    Trailer(Box<Value>),
}

impl Walker {
    /// A walker for a body that has not begun.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self::framed(format, Framing::default())
    }

    /// The same for a body whose head says more of its frames, should it be one of gRPC.
    #[must_use]
    pub fn framed(format: Format, framing: Framing) -> Self {
        Self {
            kind: Kind::new(format, framing),
            counts: Counts::default(),
            failed: None,
        }
    }

    /// Takes the next piece of the body and appends what is decided to `out`.
    ///
    /// # Errors
    /// The body cannot be masked. What is in `out` is masked and may be sent; nothing more will come.
    pub fn push(
        &mut self,
        mask: &CompiledMask,
        piece: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), WalkError> {
        self.attempt(|kind, counts| kind.push(mask, piece, out, counts))
    }

    /// The body ends here, behind its last byte or at its trailers.
    ///
    /// # Errors
    /// As for [`Walker::push`].
    pub fn finish(&mut self, mask: &CompiledMask, out: &mut Vec<u8>) -> Result<(), WalkError> {
        self.attempt(|kind, counts| kind.finish(mask, out, counts))
    }

    fn attempt(
        &mut self,
        call: impl FnOnce(&mut Kind, &mut Counts) -> Result<(), WalkError>,
    ) -> Result<(), WalkError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let outcome = call(&mut self.kind, &mut self.counts);
        self.failed = outcome.err();
        outcome
    }

    /// The bytes of the body that are held back now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.kind.held()
    }

    /// What was replaced so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Kind {
    fn new(format: Format, framing: Framing) -> Self {
        match format {
            Format::Json => Self::Json(Box::default()),
            Format::Events => Self::Events(Box::default()),
            Format::Lines => Self::Lines(Box::default()),
            Format::Text => Self::Text(Box::new(Rewriter::new(Writing::Raw))),
            Format::Html => Self::Markup(Box::new(Markup::new(false))),
            Format::Xml => Self::Markup(Box::new(Markup::new(true))),
            Format::Multipart(boundary) => Self::Multipart(Box::new(Multipart::new(boundary))),
            Format::Grpc(message) => Self::Grpc(Box::new(Grpc::new(message, framing))),
            Format::Trailer(trailer) => Self::Trailer(Box::new(Value::new(trailer))),
        }
    }

    fn push(
        &mut self,
        mask: &CompiledMask,
        piece: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        match self {
            Self::Json(json) => json.push(mask, piece, out, counts)?,
            Self::Events(events) => events.push(mask, piece, out, counts)?,
            Self::Lines(lines) => lines.push(mask, piece, out, counts)?,
            Self::Markup(markup) => markup.push(mask, piece, out, counts),
            Self::Multipart(parts) => parts.push(mask, piece, out, counts)?,
            Self::Grpc(grpc) => grpc.push(mask, piece, out, counts)?,
            Self::Trailer(value) => value.push(piece)?,
            Self::Text(text) => text.plain(
                piece,
                Place::default(),
                &mut Work {
                    matcher: mask.matcher(),
                    out: &mut Direct(out),
                    counts,
                },
            ),
        }
        Ok(())
    }

    fn finish(
        &mut self,
        mask: &CompiledMask,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        match self {
            Self::Json(json) => json.finish(mask, out, counts)?,
            Self::Events(events) => events.finish(mask, out, counts)?,
            Self::Lines(lines) => lines.finish(mask, out, counts)?,
            Self::Markup(markup) => markup.finish(mask, out, counts),
            Self::Multipart(parts) => parts.finish(mask, out, counts)?,
            Self::Grpc(grpc) => grpc.finish(mask, out, counts)?,
            Self::Trailer(value) => value.finish(mask, out, counts)?,
            Self::Text(text) => text.finish(&mut Work {
                matcher: mask.matcher(),
                out: &mut Direct(out),
                counts,
            }),
        }
        Ok(())
    }

    fn held(&self) -> usize {
        match self {
            Self::Json(json) => json.held(),
            Self::Events(events) => events.held(),
            Self::Lines(lines) => lines.held(),
            Self::Text(text) => text.held(),
            Self::Markup(markup) => markup.held(),
            Self::Multipart(parts) => parts.held(),
            Self::Grpc(grpc) => grpc.held(),
            Self::Trailer(value) => value.held(),
        }
    }
}
