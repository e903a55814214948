//! How a request carries text, and whether that can be told with certainty.
//!
//! What a body is, is the route's to say where the catalog knows the route: many servers parse JSON
//! whatever its content-type is, so a caller who calls it a picture must not be believed. Only on
//! routes that the catalog doesn't know, and on those whose bodies it takes for files, does the
//! content-type say how to read.

use super::disguise::{certain_form, could_be_text, has_escapes_of_json, is_certain};
use super::form::{Content, TextForm};
use super::head::{coding, framing, is_grpc, is_utf8, media};
use crate::dialect::{Body, BodyHead};
use crate::exchange::event::Headers;
use crate::exchange::headers::{JSON_BYTES, has, media_type, parameter, whole_number};
use crate::exchange::reply::Refusal;
use crate::operation::Operation;
use base::code::Code;
use coding::Coding;
use mask::policy::Passing;
use mask::{Format, Framing, GrpcMessage, Layout, Media, Octets, TensorFrame, TensorList};

/// How a request carries text, and what its head says of its bytes.
#[derive(Clone, Debug)]
pub(in crate::exchange) struct RequestForm {
    read: Read,
    /// What the head says of the body's own form.
    head: BodyHead,
    /// How the body is encoded as a whole; what can't be undone.
    coding: Result<Option<Coding>, ()>,
    /// How messages of gRPC are compressed.
    compression: Option<Coding>,
    /// Whether its length is said.
    sized: bool,
    /// Headers that are wrong once the bytes change.
    digests: Vec<&'static str>,
    /// What stands where in its JSON.
    layout: Option<&'static Layout>,
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
    Multipart,
    Grpc,
}

/// Headers that describe the bytes of a body (RFC 9530, RFC 1864).
const DIGESTS: &[&str] = &["content-md5", "digest", "content-digest", "repr-digest"];

impl Expected {
    /// What the catalog says; `None` where it leaves that to the content-type.
    fn of(operation: &Operation) -> Option<Self> {
        let body = &operation.body;
        if body.is_json() {
            Some(Self::Json)
        } else if body.grpc().is_some() {
            Some(Self::Grpc)
        } else {
            body.is_multipart().then_some(Self::Multipart)
        }
    }

    /// Whether what the content-type says is no other thing. JSON is JSON to many servers whatever
    /// it says, as long as the encoding is one that is read here.
    fn fits(self, headers: &Headers<'_>) -> bool {
        let is = |fits: fn(&str) -> bool| media_type(headers).as_deref().is_some_and(fits);
        match self {
            Self::Json => is_utf8(headers),
            // Some servers decode fields by it.
            Self::Multipart => is(|media| media == "multipart/form-data") && is_utf8(headers),
            Self::Grpc => is(is_grpc),
        }
    }

    /// The refusal for what is not that.
    fn refusal(self) -> Refusal {
        let why = match self {
            Self::Json => "its content-type says another encoding than UTF-8",
            Self::Multipart => "its content-type is not multipart/form-data in UTF-8",
            Self::Grpc => "its content-type is not application/grpc",
        };
        unexpected(format!("The body can't be judged: {why}."))
    }
}

impl RequestForm {
    /// Reads a head.
    pub(in crate::exchange) fn of(headers: &Headers<'_>, operation: &Operation) -> Self {
        Self {
            read: read(headers, operation),
            head: BodyHead {
                media: media_type(headers),
                boundary: parameter(headers, "boundary"),
                // What is no number leaves no JSON, and is refused.
                json_bytes: has(headers, JSON_BYTES)
                    .then(|| whole_number(headers, JSON_BYTES).unwrap_or(usize::MAX)),
            },
            coding: coding(headers).map_err(|_| ()),
            compression: framing(headers, false).compression,
            sized: has(headers, "content-length"),
            digests: DIGESTS
                .iter()
                .copied()
                .filter(|name| has(headers, name))
                .collect(),
            layout: operation.layout(),
        }
    }

    /// What the head says of the body's own form.
    pub(in crate::exchange) fn head(&self) -> &BodyHead {
        &self.head
    }

    /// How the body is encoded as a whole.
    pub(in crate::exchange) fn coding(&self) -> Result<Option<Coding>, Refusal> {
        self.coding.map_err(|()| {
            Refusal::new(
                415,
                Code::EncodingNotSupported,
                "The body is encoded in a way that can't be undone, and can't be judged. Send it in gzip, deflate, br or zstd, or without content-encoding.",
            )
        })
    }

    /// How messages of gRPC are compressed.
    pub(in crate::exchange) fn compression(&self) -> Option<Coding> {
        self.compression
    }

    /// Whether its bytes stand behind an encoding.
    pub(in crate::exchange) fn is_encoded(&self) -> bool {
        !matches!(self.coding, Ok(None))
    }

    /// Whether the head lets such a body be masked.
    pub(in crate::exchange) fn readable(&self) -> Result<(), Refusal> {
        self.coding()?;
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

    /// Whether it is one of gRPC, as its route or its content-type says.
    pub(in crate::exchange) fn is_grpc(&self) -> bool {
        match self.read {
            Read::Text(form) | Read::Said(form) => matches!(form.format, Format::Grpc(_)),
            Read::Unexpected(expected) => expected == Expected::Grpc,
            Read::NoText | Read::SaidNoText | Read::Not => false,
        }
    }

    /// Whether its length is said.
    pub(in crate::exchange) fn is_sized(&self) -> bool {
        self.sized
    }

    /// Headers that are wrong once the bytes change.
    pub(in crate::exchange) fn digests(&self) -> &[&'static str] {
        &self.digests
    }

    /// What is in this body; refused where servers could read something else in it. `pass` is what
    /// may go on unread of a form's files.
    pub(in crate::exchange) fn look(
        &self,
        body: &[u8],
        pass: &Passing,
    ) -> Result<Content, Refusal> {
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
                let is_form = self.head.media.as_deref() == Some("multipart/form-data");
                let boundary = self.head.boundary.as_deref().filter(|_| is_form);
                let octets = match (form.format, boundary) {
                    (Format::Multipart(_), Some(boundary)) => certain_form(body, boundary, pass),
                    _ => Some(Octets::NONE),
                };
                let octets = octets.filter(|_| is_certain(form.format, body));
                let octets = octets.ok_or_else(Refusal::unmaskable)?;
                Ok(Content::Text(TextForm {
                    framing: Framing {
                        octets,
                        layout: self.layout,
                        ..form.framing
                    },
                    ..form
                }))
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
    match Expected::of(operation) {
        Some(expected) if !expected.fits(headers) => Err(expected.refusal()),
        None if !is_utf8(headers) => Err(Expected::Json.refusal()),
        _ => Ok(()),
    }
}

fn read(headers: &Headers<'_>, operation: &Operation) -> Read {
    match Expected::of(operation) {
        Some(expected) if !expected.fits(headers) => Read::Unexpected(expected),
        Some(Expected::Json) if has(headers, JSON_BYTES) => read_tensors(headers, operation),
        Some(Expected::Json) => Read::Text(TextForm::plain(Format::Json)),
        Some(Expected::Multipart) => read_multipart(headers),
        Some(Expected::Grpc) => read_grpc(headers, operation),
        None => read_as_said(headers, operation),
    }
}

/// Tensors stand behind the JSON: where servers may take a body for something else, nobody knows what
/// they make of one.
fn read_tensors(headers: &Headers<'_>, operation: &Operation) -> Read {
    match whole_number(headers, JSON_BYTES) {
        Some(json_bytes) if operation.body.may_have_tensors() => {
            let list = TensorList::Inputs;
            let frame = TensorFrame { json_bytes, list };
            Read::Text(TextForm::plain(Format::Tensors(frame)))
        }
        _ => Read::Not,
    }
}

fn read_multipart(headers: &Headers<'_>) -> Read {
    match media(headers, "multipart/form-data") {
        Media::Text(format) => Read::Text(TextForm::plain(format)),
        Media::NoText | Media::Unknown => Read::Not,
    }
}

fn read_grpc(headers: &Headers<'_>, operation: &Operation) -> Read {
    // The client of a stream may wait for an answer before it sends more: the end may never come.
    match operation.body.grpc() {
        Some((request, _)) if !operation.body.streams() => Read::Text(TextForm {
            framing: framing(headers, false),
            ..TextForm::plain(Format::Grpc(request))
        }),
        _ => Read::Not,
    }
}

fn read_as_said(headers: &Headers<'_>, operation: &Operation) -> Read {
    let Some(name) = media_type(headers) else {
        // What is there twice says nothing. Without any, a body may be JSON, which its bytes show.
        return match has(headers, "content-type") {
            true => Read::Not,
            false => Read::Said(TextForm::plain(Format::Json)),
        };
    };
    if is_grpc(&name) {
        return Read::Said(TextForm {
            framing: framing(headers, false),
            ..TextForm::plain(Format::Grpc(GrpcMessage::Any))
        });
    }
    match media(headers, &name) {
        Media::Text(format) if is_utf8(headers) => Read::Said(TextForm::plain(format)),
        Media::NoText if matches!(operation.body, Body::Nothing) => Read::NoText,
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
