//! How a response carries text: its status, its content coding and its media type say it, and where
//! tensors may stand behind JSON, whether they do. The policy says what may go on unread.

use super::form::{Content, TextForm};
use super::head::{coding, framing, is_searchable, media};
use crate::dialect::{Body, Dialect, KSERVE};
use crate::exchange::event::Headers;
use crate::exchange::headers::{JSON_BYTES, has, media_type, whole_number};
use base::code::Code;
use mask::policy::{Options, PartialContent, Passing, Upgrades};
use mask::{Format, Framing, GrpcMessage, Media, TensorFrame, TensorList};

/// Messages of protobuf.
const GRPC: [&str; 2] = ["application/grpc", "application/grpc+proto"];
const GRPC_WEB: [&str; 2] = ["application/grpc-web", "application/grpc-web+proto"];

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::exchange) struct Question<'a> {
    /// Whose route it is.
    pub(in crate::exchange) dialect: &'static Dialect,
    /// What the route's bodies are.
    pub(in crate::exchange) body: &'a Body,
    /// The operation; `None` where only a body could tell that nobody has read.
    pub(in crate::exchange) operation: Option<&'static str>,
    /// Whether it was asked for a tunnel (RFC 9110, section 9.3.6).
    pub(in crate::exchange) tunnel: bool,
}

/// What is in a response's body; nothing in one that passes unread; the code of a refusal for one
/// that may have text that can't be read.
pub(in crate::exchange) fn content(
    headers: &Headers<'_>,
    status: Option<u16>,
    asked: Question<'_>,
    options: &Options,
) -> Result<Content, Code> {
    let status = status.ok_or(Code::StatusNotReadable)?;
    if status == 101 || (asked.tunnel && (200..300).contains(&status)) {
        return match options.upgrades {
            Upgrades::Pass => Ok(Content::NoText),
            Upgrades::Refuse => Err(Code::UpgradeNotMaskable),
        };
    }
    let parts_pass = options.partial_content == PartialContent::Pass;
    if status == 204 || (status == 206 && parts_pass) {
        return Ok(Content::NoText);
    }
    let tensors = has_tensors(headers, asked.dialect);
    if !tensors && passes(headers, asked.operation, &options.pass) {
        return Ok(Content::NoText);
    }
    // A match may begin in another part.
    if status == 206 {
        return Err(Code::RangeNotMaskable);
    }
    let format = match tensors {
        true => tensors_of(headers)?,
        false => format(headers, asked.body)?,
    };
    let web = media_type(headers).is_some_and(|media| GRPC_WEB.contains(&media.as_str()));
    Ok(Content::Text(TextForm {
        coding: coding(headers).map_err(|_| Code::EncodingNotMaskable)?,
        format,
        framing: Framing {
            opaque_parts: options.pass.lets_operation(asked.operation),
            ..framing(headers, web)
        },
    }))
}

/// Whether the body goes on unread, in whatever coding it is.
fn passes(headers: &Headers<'_>, operation: Option<&str>, pass: &Passing) -> bool {
    let Some(name) = media_type(headers) else {
        return false;
    };
    match Format::of_media(&name) {
        Media::Text(_) => pass.lets_text(&name),
        Media::NoText | Media::Unknown => pass.lets_opaque(&name, operation),
    }
}

fn format(headers: &Headers<'_>, asked: &Body) -> Result<Format, Code> {
    let Some(name) = media_type(headers) else {
        // One content-type that can't be read is no better than several.
        return if has(headers, "content-type") {
            Err(Code::MediaTypeNotMaskable)
        } else {
            Ok(Format::Json)
        };
    };
    if GRPC.contains(&name.as_str()) || GRPC_WEB.contains(&name.as_str()) {
        let answer = asked.grpc().map(|(_, answer)| answer);
        return Ok(Format::Grpc(answer.unwrap_or(GrpcMessage::Any)));
    }
    // Messages that are not protobuf's, or in base64.
    if name.starts_with("application/grpc") {
        return Err(Code::GrpcNotMaskable);
    }
    match media(headers, &name) {
        // The charset of a multipart body is its parts' to say.
        Media::Text(Format::Multipart(boundary)) => Ok(Format::Multipart(boundary)),
        Media::Text(format) if is_searchable(headers) => Ok(format),
        Media::Text(_) | Media::NoText | Media::Unknown => Err(Code::MediaTypeNotMaskable),
    }
}

/// Whether tensors stand behind JSON. Clients go by this header, whatever the content-type is.
fn has_tensors(headers: &Headers<'_>, dialect: &Dialect) -> bool {
    *dialect == KSERVE && has(headers, JSON_BYTES)
}

fn tensors_of(headers: &Headers<'_>) -> Result<Format, Code> {
    if !is_searchable(headers) {
        return Err(Code::MediaTypeNotMaskable);
    }
    // Said twice, or in another way than in digits, clients could take it for different lengths.
    let json_bytes = whole_number(headers, JSON_BYTES).ok_or(Code::MessageMalformed)?;
    Ok(Format::Tensors(TensorFrame {
        json_bytes,
        list: TensorList::Outputs,
    }))
}
