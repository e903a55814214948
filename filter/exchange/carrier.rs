//! What carries the text of a response: its status, its content coding and its media type.

use super::event::Headers;
use super::headers::{has, media_type, parameter, single, values};
use crate::coding::Coding;
use crate::config::mask::PartialContent;
use crate::mask::{Boundary, Format, Framing, GrpcMessage, Media};
use crate::operation::Shape;

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carrier {
    /// How it is encoded as a whole.
    pub(super) coding: Option<Coding>,
    /// How it carries text once it is decoded.
    pub(super) format: Format,
    /// How its frames are, if it has some.
    pub(super) framing: Framing,
}

/// Messages of protobuf.
const GRPC: [&str; 2] = ["application/grpc", "application/grpc+proto"];
const GRPC_WEB: [&str; 2] = ["application/grpc-web", "application/grpc-web+proto"];

/// How a response's body is read; `None` for one that has no text or passes; the code of a refusal
/// for one that may have text that can't be read.
pub(super) fn carrier(
    headers: &Headers<'_>,
    status: Option<u16>,
    shape: Shape,
    parts: PartialContent,
) -> Result<Option<Carrier>, &'static str> {
    match status {
        Some(204) => return Ok(None),
        Some(101) => return Err("upgrade_not_maskable"),
        Some(206) if parts == PartialContent::Pass => return Ok(None),
        Some(206) => return Err("range_not_maskable"),
        Some(_) => {}
        None => return Err("status_not_readable"),
    }
    let Some(format) = format(headers, shape)? else {
        return Ok(None);
    };
    Ok(Some(Carrier {
        coding: coding(headers)?,
        format,
        framing: Framing {
            compression: single(headers, "grpc-encoding")
                .and_then(|name| Coding::named(name.as_bytes())),
            web: media_type(headers).is_some_and(|media| GRPC_WEB.contains(&media.as_str())),
        },
    }))
}

/// The body's coding. Several, one over the other, are nothing that a server has a reason for.
fn coding(headers: &Headers<'_>) -> Result<Option<Coding>, &'static str> {
    const REFUSED: &str = "encoding_not_maskable";
    let mut codings = values(headers, "content-encoding")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(None),
        (Some(name), None) => Coding::named(name).map(Some).ok_or(REFUSED),
        (Some(_), Some(_)) => Err(REFUSED),
    }
}

fn format(headers: &Headers<'_>, shape: Shape) -> Result<Option<Format>, &'static str> {
    let Some(media) = media_type(headers) else {
        // One content-type that can't be read is no better than several.
        return if has(headers, "content-type") {
            Err("media_type_not_maskable")
        } else {
            Ok(Some(Format::Json))
        };
    };
    if GRPC.contains(&media.as_str()) || GRPC_WEB.contains(&media.as_str()) {
        return Ok(Some(Format::Grpc(match shape {
            Shape::TensorsGrpc => GrpcMessage::ModelInferResponse,
            Shape::TensorsGrpcStream => GrpcMessage::ModelStreamInferResponse,
            _ => GrpcMessage::Any,
        })));
    }
    // Messages that are not protobuf's, or in base64.
    if media.starts_with("application/grpc") {
        return Err("grpc_not_maskable");
    }
    if media.starts_with("multipart/") {
        let boundary = parameter(headers, "boundary").and_then(|it| Boundary::new(it.as_bytes()));
        return boundary
            .map(|boundary| Some(Format::Multipart(boundary)))
            .ok_or("media_type_not_maskable");
    }
    match Format::of_media(&media) {
        Media::Text(format) => Ok(Some(format)),
        Media::NoText => Ok(None),
        Media::Unknown => Err("media_type_not_maskable"),
    }
}
