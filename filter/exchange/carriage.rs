//! How a request carries text, and whether that can be told with certainty.
//!
//! What a body is, is the route's to say where the catalog knows the route: many servers parse JSON
//! whatever its content-type is, so a caller who calls it a picture must not be believed. Only on
//! routes that the catalog doesn't know, and on those whose bodies it takes for files, does the
//! content-type say how to read.

use super::event::Headers;
use super::headers::{has, is_encoded, is_grpc, is_json, media_type, parameter, single, values};
use super::reply::Refusal;
use crate::coding::Coding;
use crate::json;
use crate::mask::{Boundary, Format, Framing, GrpcMessage, Media};
use crate::operation::{Dialect, Operation, Shape};

/// How a request carries text, and what its head says of its bytes.
#[derive(Clone, Debug)]
pub(super) struct Carriage {
    read: Read,
    /// Whether its length is said.
    sized: bool,
    /// Headers that are wrong once the bytes change.
    digests: Vec<&'static str>,
}

/// How a body is read.
#[derive(Clone, Copy, Debug)]
enum Read {
    /// It has text of this form: its route says so.
    Text(Format, Framing),
    /// It has text of this form: its content-type says so.
    Said(Format, Framing),
    /// It has none.
    NoText,
    /// Its content-type says that it has none, on a route where a server may take it for text all
    /// the same.
    SaidNoText,
    /// It may have text that can't be read.
    Not,
    /// It is not what its route is for.
    Unexpected(Expected),
}

/// What is in a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carried {
    /// Text.
    Text(Format, Framing),
    /// Nothing to mask.
    Nothing,
}

/// What the bodies of a route are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Json,
    Grpc,
}

/// Headers that describe the bytes of a body (RFC 9530, RFC 1864).
const DIGESTS: &[&str] = &["content-md5", "digest", "content-digest", "repr-digest"];

impl Expected {
    /// What the catalog says; `None` where it leaves that to the content-type.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        match operation.body {
            Shape::Chat | Shape::Completion | Shape::Embedding | Shape::Tensors => Some(Self::Json),
            Shape::TensorsGrpc | Shape::TensorsGrpcStream => Some(Self::Grpc),
            Shape::Texts => (operation.name != UNKNOWN).then_some(Self::Json),
            Shape::Opaque => (operation.dialect == Dialect::Grpc).then_some(Self::Grpc),
        }
    }

    /// Whether a body's content-type is that, in an encoding in which it is read here.
    pub(super) fn fits(self, headers: &Headers<'_>) -> bool {
        media_type(headers).is_some_and(|media| match self {
            Self::Json => is_json(&media) && is_utf8(headers),
            Self::Grpc => is_grpc(&media),
        })
    }

    /// Tells the caller.
    pub(super) fn refusal(self) -> Refusal {
        let name = match self {
            Self::Json => "application/json in UTF-8",
            Self::Grpc => "application/grpc",
        };
        unexpected(format!(
            "The body can't be judged: its content-type is not {name}."
        ))
    }
}

/// The operation of routes that the catalog doesn't know.
const UNKNOWN: &str = "unknown";

impl Carriage {
    /// Reads a head.
    pub(super) fn of(headers: &Headers<'_>, operation: &Operation) -> Self {
        Self {
            read: read(headers, operation),
            sized: has(headers, "content-length"),
            digests: DIGESTS
                .iter()
                .copied()
                .filter(|name| has(headers, name))
                .collect(),
        }
    }

    /// Whether the head lets such a body be masked.
    pub(super) fn readable(&self) -> Result<(), Refusal> {
        match self.read {
            Read::Text(..) | Read::Said(..) | Read::NoText | Read::SaidNoText => Ok(()),
            Read::Not => Err(Refusal::unmaskable()),
            Read::Unexpected(expected) => Err(expected.refusal()),
        }
    }

    /// Whether there is nothing to mask in such a body, whatever its bytes are.
    pub(super) fn has_no_text(&self) -> bool {
        matches!(self.read, Read::NoText)
    }

    /// Whether its length is said.
    pub(super) fn is_sized(&self) -> bool {
        self.sized
    }

    /// Headers that are wrong once the bytes change.
    pub(super) fn digests(&self) -> &[&'static str] {
        &self.digests
    }

    /// What is in this body; refused where servers could read something else in it.
    pub(super) fn look(&self, body: &[u8]) -> Result<Carried, Refusal> {
        self.readable()?;
        match self.read {
            // Text is refused, not masked: of what form it is for the server, nobody said.
            Read::SaidNoText if could_be_text(body) => Err(disguised(
                "text, and its content-type says that it has none",
            )),
            // Masked as text, escapes in strings would hide what a reader of JSON sees.
            Read::Said(Format::Text | Format::Events, _) if has_escapes_of_json(body) => {
                Err(disguised("JSON, and its content-type is not"))
            }
            Read::Text(format, framing) | Read::Said(format, framing) => {
                if is_certain(format, body) {
                    Ok(Carried::Text(format, framing))
                } else {
                    Err(Refusal::unmaskable())
                }
            }
            _ => Ok(Carried::Nothing),
        }
    }
}

fn read(headers: &Headers<'_>, operation: &Operation) -> Read {
    if is_encoded(headers) {
        return Read::Not;
    }
    match Expected::of(operation) {
        Some(expected) if !expected.fits(headers) => Read::Unexpected(expected),
        Some(Expected::Json) => Read::Text(Format::Json, Framing::default()),
        Some(Expected::Grpc) => read_grpc(headers, operation),
        None => read_as_said(headers, operation),
    }
}

fn read_grpc(headers: &Headers<'_>, operation: &Operation) -> Read {
    let message = match operation.body {
        Shape::TensorsGrpc => GrpcMessage::ModelInferRequest,
        // The catalog's other calls of gRPC are of one message.
        Shape::Opaque => GrpcMessage::Any,
        // Its client may wait for an answer before it sends more: the end may never come.
        _ => return Read::Not,
    };
    let compression =
        single(headers, "grpc-encoding").and_then(|name| Coding::named(name.as_bytes()));
    let framing = Framing {
        compression,
        web: false,
    };
    Read::Text(Format::Grpc(message), framing)
}

fn read_as_said(headers: &Headers<'_>, operation: &Operation) -> Read {
    let said = |format| Read::Said(format, Framing::default());
    let Some(media) = media_type(headers) else {
        return Read::Not;
    };
    if media.starts_with("multipart/") {
        let boundary = parameter(headers, "boundary");
        let boundary = boundary.and_then(|boundary| Boundary::new(boundary.as_bytes()));
        return boundary.map_or(Read::Not, |boundary| said(Format::Multipart(boundary)));
    }
    match Format::of_media(&media) {
        Media::Text(_) if !is_utf8(headers) => Read::Not,
        Media::Text(format) => said(format),
        Media::NoText if operation.body == Shape::Opaque => Read::NoText,
        Media::NoText => Read::SaidNoText,
        Media::Unknown => Read::Not,
    }
}

/// Whether nothing in the content-type says that the text is in another encoding than UTF-8, of
/// which ASCII is a part.
fn is_utf8(headers: &Headers<'_>) -> bool {
    let says = |value: &[u8]| {
        let name = b"charset";
        let mut windows = value.windows(name.len());
        windows.any(|window| window.eq_ignore_ascii_case(name))
    };
    if !values(headers, "content-type").any(says) {
        return true;
    }
    // What is said twice, or in a way that is not read here, some server may read in another way.
    parameter(headers, "charset").is_some_and(|charset| {
        ["utf-8", "utf8", "us-ascii", "ascii"]
            .iter()
            .any(|known| charset.eq_ignore_ascii_case(known))
    })
}

/// Whether every reader takes the body for what the walker does. UTF-16, for one, looks like text
/// in which nothing is found.
fn is_certain(format: Format, body: &[u8]) -> bool {
    let lines = || body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    match format {
        Format::Json => json::read(body, &mut ()).is_ok(),
        Format::Lines => lines().all(|line| line.is_empty() || json::read(line, &mut ()).is_ok()),
        // What a part is read as is its own media type's matter; many parts are no text.
        Format::Grpc(_) | Format::Multipart(_) => true,
        Format::Text | Format::Events | Format::Html | Format::Xml | Format::Trailer(_) => {
            !body.contains(&0) && core::str::from_utf8(body).is_ok()
        }
    }
}

/// Whether a server could read text in these bytes: UTF-8, or JSON in whatever encoding readers of
/// JSON find out by themselves. Sound and pictures are neither.
fn could_be_text(body: &[u8]) -> bool {
    core::str::from_utf8(body).is_ok()
        || begins_as_json::<1>(body)
        || begins_as_json::<2>(body)
        || begins_as_json::<4>(body)
}

/// Whether the bytes begin as an object, a list or a string of JSON does, in units of `N` bytes of
/// either order. The rest is not looked at: some readers take what is no JSON by the book, and
/// broken characters too.
fn begins_as_json<const N: usize>(body: &[u8]) -> bool {
    let value = |unit: u32, byte: &u8| (unit << 8) | u32::from(*byte);
    let begins = |read: &dyn Fn(&[u8; N]) -> u32| {
        let mut units = body.as_chunks::<N>().0.iter().map(read);
        let blank = |unit: &u32| matches!(unit, 0x20 | 0x09 | 0x0a | 0x0d | 0xfeff);
        let first = units.find(|unit| !blank(unit));
        first.is_some_and(|unit| {
            [b'{', b'[', b'"']
                .iter()
                .any(|mark| unit == u32::from(*mark))
        })
    };
    begins(&|unit| unit.iter().fold(0, value)) || begins(&|unit| unit.iter().rev().fold(0, value))
}

/// Whether masking as text would leave out what a reader of JSON finds in escapes.
fn has_escapes_of_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.contains(&b'\\') && begins_as_json::<1>(body)
}

fn disguised(what: &str) -> Refusal {
    unexpected(format!("The body can't be masked: it is {what}."))
}

fn unexpected(message: String) -> Refusal {
    Refusal::new(415, "media_type_not_supported", message)
}
