//! Walkers: what of a response body is text, and what only carries it.
//!
//! Each takes a body in pieces of any size, gives the text in it to the matcher, and writes the
//! body again with what the matcher replaced. Everything else stays byte for byte.

mod base64;
mod body;
mod chunks;
mod entries;
mod escape;
mod events;
mod feed;
mod fields;
mod grammar;
mod grpc;
mod json;
mod lines;
mod markup;
mod media;
mod member;
mod multipart;
mod payload;
mod queue;
mod scalar;
mod template;
mod texts;
mod track;
mod trailer;

#[cfg(test)]
mod tests;

use super::Engine;
use crate::wire::WireError;
use body::Body;
use events::Events;
pub(super) use fields::Fields;
pub use grpc::Framing;
use grpc::Grpc;
use lines::Lines;
use markup::Markup;
pub use media::Media;
pub use multipart::Boundary;
use multipart::Multipart;
use track::{Direct, Place, Track, Work, Writing};
pub use trailer::Trailer;
use trailer::Value;

/// How a body carries text; chosen from its content type and the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON (RFC 8259), one value or several one after another. Each string is a text of its own,
    /// but in the array of chunks as which Gemini streams: there, texts go on from chunk to chunk.
    Json,
    /// An event stream (WHATWG HTML, "Server-sent events"). The texts of a model's answer go on
    /// from event to event.
    Events,
    /// JSON lines (`application/x-ndjson`) whose texts go on from line to line as in an event
    /// stream. A line may not be longer than an event.
    Lines,
    /// The whole body is one text.
    Text,
    /// HTML: what stands between tags, and what attributes say, are texts.
    Html,
    /// XML, likewise.
    Xml,
    /// Parts of their own media types.
    Multipart(Boundary),
    /// gRPC messages of one type.
    Grpc(GrpcMessage),
    /// The value of a trailer.
    Trailer(Trailer),
}

/// The type of a gRPC body's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcMessage {
    /// `inference.ModelInferRequest` of the Open Inference Protocol (KServe V2).
    ModelInferRequest,
    /// `inference.ModelInferResponse` of the Open Inference Protocol (KServe V2).
    ModelInferResponse,
    /// `inference.ModelStreamInferResponse`, Triton's stream of them.
    ModelStreamInferResponse,
    /// `google.rpc.Status`, whose details may be anything.
    Status,
    /// One whose fields are not known, read by protobuf's wire format.
    Any,
}

/// Why a body cannot be masked. Whoever sends it on must cut it off before what is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkError {
    /// An event or a frame is longer than what is held of a body.
    TooLarge,
    /// One event or message has more texts than are followed.
    TooManyTexts,
    /// A message is compressed in a way that is not known.
    Compressed,
    /// A message's lengths or types contradict each other.
    Malformed,
    /// The body ends within a message.
    Truncated,
    /// A part of the body is of a type that may have text that is not read.
    UnknownPart,
}

impl std::fmt::Display for WalkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "an event or message is too long to be masked",
            Self::TooManyTexts => "an event or message has too many texts to be masked",
            Self::Compressed => "a message is compressed in a way that is not known",
            Self::Malformed => "a message is malformed",
            Self::Truncated => "the body ends within a message",
            Self::UnknownPart => "a part of the body is of a type that is not read",
        })
    }
}

impl std::error::Error for WalkError {}

impl From<WireError> for WalkError {
    fn from(WireError: WireError) -> Self {
        Self::Malformed
    }
}

/// How often each detector matched, by its index in the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_detector: Vec<u64>,
}

impl Counts {
    /// The matches of detector `index` so far.
    #[must_use]
    pub fn get(&self, index: usize) -> u64 {
        self.by_detector.get(index).copied().unwrap_or(0)
    }

    /// Every detector's matches so far, in the engine's order; detectors behind the last one that
    /// matched are left out.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.by_detector.iter().copied()
    }

    /// All matches so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_detector
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn add(&mut self, detector: usize) {
        if self.by_detector.len() <= detector {
            self.by_detector.resize(detector + 1, 0);
        }
        if let Some(count) = self.by_detector.get_mut(detector) {
            *count = count.saturating_add(1);
        }
    }
}

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
    Text(Box<Track>),
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
        engine: &Engine,
        piece: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), WalkError> {
        self.attempt(|kind, counts| kind.push(engine, piece, out, counts))
    }

    /// The body ends here, behind its last byte or at its trailers.
    ///
    /// # Errors
    /// As for [`Walker::push`].
    pub fn finish(&mut self, engine: &Engine, out: &mut Vec<u8>) -> Result<(), WalkError> {
        self.attempt(|kind, counts| kind.finish(engine, out, counts))
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
            Format::Text => Self::Text(Box::new(Track::new(Writing::Raw))),
            Format::Html => Self::Markup(Box::new(Markup::new(false))),
            Format::Xml => Self::Markup(Box::new(Markup::new(true))),
            Format::Multipart(boundary) => Self::Multipart(Box::new(Multipart::new(boundary))),
            Format::Grpc(message) => Self::Grpc(Box::new(Grpc::new(message, framing))),
            Format::Trailer(trailer) => Self::Trailer(Box::new(Value::new(trailer))),
        }
    }

    fn push(
        &mut self,
        engine: &Engine,
        piece: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        match self {
            Self::Json(json) => json.push(engine, piece, out, counts)?,
            Self::Events(events) => events.push(engine, piece, out, counts)?,
            Self::Lines(lines) => lines.push(engine, piece, out, counts)?,
            Self::Markup(markup) => markup.push(engine, piece, out, counts),
            Self::Multipart(parts) => parts.push(engine, piece, out, counts)?,
            Self::Grpc(grpc) => grpc.push(engine, piece, out, counts)?,
            Self::Trailer(value) => value.push(piece)?,
            Self::Text(text) => text.plain(
                piece,
                Place::default(),
                &mut Work {
                    engine,
                    out: &mut Direct(out),
                    counts,
                },
            ),
        }
        Ok(())
    }

    fn finish(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        match self {
            Self::Json(json) => json.finish(engine, out, counts)?,
            Self::Events(events) => events.finish(engine, out, counts)?,
            Self::Lines(lines) => lines.finish(engine, out, counts)?,
            Self::Markup(markup) => markup.finish(engine, out, counts),
            Self::Multipart(parts) => parts.finish(engine, out, counts)?,
            Self::Grpc(grpc) => grpc.finish(engine, out, counts)?,
            Self::Trailer(value) => value.finish(engine, out, counts)?,
            Self::Text(text) => text.finish(&mut Work {
                engine,
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
