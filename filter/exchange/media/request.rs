//! How a request carries text, and whether that can be told with certainty.
//!
//! What a body is, is the route's to say where the catalog knows the route: many servers parse JSON
//! whatever its content-type is, so a caller who calls it a picture must not be believed. Only on
//! routes that the catalog doesn't know, and on those whose bodies it takes for files, does the
//! content-type say how to read.

use super::disguise::{could_be_text, has_escapes_of_json, is_certain};
use super::form::{Content, TextForm};
use super::head::{coding, framing, is_grpc, is_json, is_utf8, media};
use crate::dialect::{self, Body};
use crate::exchange::event::Headers;
use crate::exchange::headers::{has, media_type};
use crate::exchange::reply::Refusal;
use crate::operation::Operation;
use base::code::Code;
use base::operation::UNKNOWN;
use mask::{Format, Media};

/// How a request carries text, and what its head says of its bytes.
#[derive(Clone, Debug)]
pub(in crate::exchange) struct RequestForm {
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
    Text(TextForm),
    /// It has text of this form: its content-type says so.
    Said(TextForm),
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

/// What the bodies of a route are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Json,
    Grpc,
}

/// Headers that describe the bytes of a body (RFC 9530, RFC 1864).
const DIGESTS: &[&str] = &["content-md5", "digest", "content-digest", "repr-digest"];

impl Expected {
    /// What the catalog says; `None` where it leaves that to the content-type.
    fn of(operation: &Operation) -> Option<Self> {
        match operation.body {
            Body::Json(_) => Some(Self::Json),
            Body::Grpc(_) | Body::GrpcStream(_) => Some(Self::Grpc),
            Body::Texts => (operation.name != UNKNOWN).then_some(Self::Json),
            Body::Opaque => None,
        }
    }

    /// Whether a body's content-type is that, in an encoding in which it is read here.
    fn fits(self, headers: &Headers<'_>) -> bool {
        media_type(headers).is_some_and(|media| match self {
            Self::Json => is_json(&media) && is_utf8(headers),
            Self::Grpc => is_grpc(&media),
        })
    }

    /// The refusal for what is not that.
    fn refusal(self) -> Refusal {
        let name = match self {
            Self::Json => "application/json in UTF-8",
            Self::Grpc => "application/grpc",
        };
        unexpected(format!(
            "The body can't be judged: its content-type is not {name}."
        ))
    }
}

impl RequestForm {
    /// Reads a head.
    pub(in crate::exchange) fn of(headers: &Headers<'_>, operation: &Operation) -> Self {
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
    pub(in crate::exchange) fn readable(&self) -> Result<(), Refusal> {
        match self.read {
            Read::Text(_) | Read::Said(_) | Read::NoText | Read::SaidNoText => Ok(()),
            Read::Not => Err(Refusal::unmaskable()),
            Read::Unexpected(expected) => Err(expected.refusal()),
        }
    }

    /// Whether there is nothing to mask in such a body, whatever its bytes are.
    pub(in crate::exchange) fn has_no_text(&self) -> bool {
        matches!(self.read, Read::NoText)
    }

    /// Whether its length is said.
    pub(in crate::exchange) fn is_sized(&self) -> bool {
        self.sized
    }

    /// Headers that are wrong once the bytes change.
    pub(in crate::exchange) fn digests(&self) -> &[&'static str] {
        &self.digests
    }

    /// What is in this body; refused where servers could read something else in it.
    pub(in crate::exchange) fn look(&self, body: &[u8]) -> Result<Content, Refusal> {
        self.readable()?;
        match self.read {
            // Text is refused, not masked: of what form it is for the server, nobody said.
            Read::SaidNoText if could_be_text(body) => Err(disguised(
                "text, and its content-type says that it has none",
            )),
            // Masked as text, escapes in strings would hide what a reader of JSON sees.
            Read::Said(form)
                if matches!(form.format, Format::Text | Format::Events)
                    && has_escapes_of_json(body) =>
            {
                Err(disguised("JSON, and its content-type is not"))
            }
            Read::Text(form) | Read::Said(form) => {
                if is_certain(form.format, body) {
                    Ok(Content::Text(form))
                } else {
                    Err(Refusal::unmaskable())
                }
            }
            _ => Ok(Content::NoText),
        }
    }
}

/// Whether a decision can be taken from a body, by what its head says of it.
pub(in crate::exchange) fn decidable(
    headers: &Headers<'_>,
    operation: &Operation,
) -> Result<(), Refusal> {
    if operation.body.says_nothing() {
        return Ok(());
    }
    // Its client may wait for an answer before it sends more: the end may never come.
    if matches!(operation.body, Body::GrpcStream(_)) {
        return Err(Refusal::not_readable(dialect::STREAMED));
    }
    if is_encoded(headers) {
        return Err(Refusal::new(
            415,
            Code::EncodingNotSupported,
            "The body is encoded, and can't be judged. Send it without content-encoding.",
        ));
    }
    // Texts are read as JSON on routes that the catalog doesn't know, too.
    let expected = Expected::of(operation).unwrap_or(Expected::Json);
    if expected.fits(headers) {
        Ok(())
    } else {
        Err(expected.refusal())
    }
}

/// Whether the body is encoded in some way, one that can be undone or another.
fn is_encoded(headers: &Headers<'_>) -> bool {
    !matches!(coding(headers), Ok(None))
}

fn read(headers: &Headers<'_>, operation: &Operation) -> Read {
    if is_encoded(headers) {
        return Read::Not;
    }
    match Expected::of(operation) {
        Some(expected) if !expected.fits(headers) => Read::Unexpected(expected),
        Some(Expected::Json) => Read::Text(TextForm::plain(Format::Json)),
        Some(Expected::Grpc) => read_grpc(headers, operation),
        None => read_as_said(headers, operation),
    }
}

fn read_grpc(headers: &Headers<'_>, operation: &Operation) -> Read {
    // The client of a stream may wait for an answer before it sends more: the end may never come.
    let Body::Grpc(body) = operation.body else {
        return Read::Not;
    };
    Read::Text(TextForm {
        framing: framing(headers, false),
        ..TextForm::plain(Format::Grpc(body.request))
    })
}

fn read_as_said(headers: &Headers<'_>, operation: &Operation) -> Read {
    let Some(name) = media_type(headers) else {
        return Read::Not;
    };
    match media(headers, &name) {
        // The charset of a multipart body is its parts' to say.
        Media::Text(format) if matches!(format, Format::Multipart(_)) || is_utf8(headers) => {
            Read::Said(TextForm::plain(format))
        }
        Media::NoText if matches!(operation.body, Body::Opaque) => Read::NoText,
        Media::NoText => Read::SaidNoText,
        Media::Text(_) | Media::Unknown => Read::Not,
    }
}

fn disguised(what: &str) -> Refusal {
    unexpected(format!("The body can't be masked: it is {what}."))
}

fn unexpected(message: String) -> Refusal {
    Refusal::new(415, Code::MediaTypeNotSupported, message)
}
