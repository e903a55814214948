//! How a response carries text: its status, its content coding and its media type say it, and where
//! tensors may stand behind JSON, whether they do.

use super::form::{Content, TextForm};
use super::head::{coding, framing, keeps_ascii, media};
use crate::dialect::KSERVE;
use crate::exchange::event::Headers;
use crate::exchange::headers::{JSON_BYTES, has, media_type, whole_number};
use crate::operation::Operation;
use base::code::Code;
use mask::policy::PartialContent;
use mask::{Format, GrpcMessage, Media, TensorFrame, TensorList};

/// Messages of protobuf.
const GRPC: [&str; 2] = ["application/grpc", "application/grpc+proto"];
const GRPC_WEB: [&str; 2] = ["application/grpc-web", "application/grpc-web+proto"];

/// What is in a response's body; nothing in one whose parts pass; the code of a refusal for one
/// that may have text that can't be read.
pub(in crate::exchange) fn content(
    headers: &Headers<'_>,
    status: Option<u16>,
    asked: &Operation,
    parts: PartialContent,
) -> Result<Content, Code> {
    match status {
        Some(204) => return Ok(Content::NoText),
        Some(101) => return Err(Code::UpgradeNotMaskable),
        Some(206) if parts == PartialContent::Pass => return Ok(Content::NoText),
        Some(206) => return Err(Code::RangeNotMaskable),
        Some(_) => {}
        None => return Err(Code::StatusNotReadable),
    }
    let Some(format) = format(headers, asked)? else {
        return Ok(Content::NoText);
    };
    let web = media_type(headers).is_some_and(|media| GRPC_WEB.contains(&media.as_str()));
    Ok(Content::Text(TextForm {
        coding: coding(headers).map_err(|_| Code::EncodingNotMaskable)?,
        format,
        framing: framing(headers, web),
    }))
}

fn format(headers: &Headers<'_>, asked: &Operation) -> Result<Option<Format>, Code> {
    // Clients go by this header, whatever the content-type is.
    if *asked.dialect == KSERVE && has(headers, JSON_BYTES) {
        return tensors(headers).map(Some);
    }
    let Some(name) = media_type(headers) else {
        // One content-type that can't be read is no better than several.
        return if has(headers, "content-type") {
            Err(Code::MediaTypeNotMaskable)
        } else {
            Ok(Some(Format::Json))
        };
    };
    if GRPC.contains(&name.as_str()) || GRPC_WEB.contains(&name.as_str()) {
        let answer = asked.body.grpc().map(|(_, answer)| answer);
        return Ok(Some(Format::Grpc(answer.unwrap_or(GrpcMessage::Any))));
    }
    // Messages that are not protobuf's, or in base64.
    if name.starts_with("application/grpc") {
        return Err(Code::GrpcNotMaskable);
    }
    match media(headers, &name) {
        // The charset of a multipart body is its parts' to say.
        Media::Text(Format::Multipart(boundary)) => Ok(Some(Format::Multipart(boundary))),
        Media::Text(format) if keeps_ascii(headers) => Ok(Some(format)),
        Media::Text(_) => Err(Code::MediaTypeNotMaskable),
        Media::NoText => Ok(None),
        Media::Unknown => Err(Code::MediaTypeNotMaskable),
    }
}

fn tensors(headers: &Headers<'_>) -> Result<Format, Code> {
    if !keeps_ascii(headers) {
        return Err(Code::MediaTypeNotMaskable);
    }
    // Said twice, or in another way than in digits, clients could take it for different lengths.
    let json_bytes = whole_number(headers, JSON_BYTES).ok_or(Code::MessageMalformed)?;
    Ok(Format::Tensors(TensorFrame {
        json_bytes,
        list: TensorList::Outputs,
    }))
}
