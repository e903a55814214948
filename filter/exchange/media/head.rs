//! What a head's own words come to, whichever direction it is of.

use crate::exchange::event::Headers;
use crate::exchange::headers::{has, media_type, parameter, single, values};
use coding::{Coding, Unknown};
use mask::{Boundary, Format, Framing, Media, keeps_ascii};

/// The body's coding.
pub(in crate::exchange) fn coding(headers: &Headers<'_>) -> Result<Option<Coding>, Unknown> {
    Coding::applied(values(headers, "content-encoding"))
}

/// What a head says of the frames of gRPC and of AWS's event streams.
pub(super) fn framing(headers: &Headers<'_>, web: bool) -> Framing {
    let compression =
        single(headers, "grpc-encoding").and_then(|name| Coding::named(name.as_bytes()));
    Framing {
        compression,
        web,
        payload: payload(headers),
        ..Framing::default()
    }
}

/// How a body carries text that goes in pieces through AWS's event streams: SageMaker says what the
/// model's own server called it. Where that called it nothing, it is read as an answer is that has no
/// content-type.
fn payload(headers: &Headers<'_>) -> Option<Format> {
    const SAID: &str = "x-amzn-sagemaker-content-type";
    if !has(headers, SAID) {
        return Some(Format::Json);
    }
    let said = single(headers, SAID)?.to_ascii_lowercase();
    let (media, parameters) = said.split_once(';').unwrap_or((&said, ""));
    let utf8 = ["", "charset=utf-8"].contains(&parameters.trim());
    match Format::of_media(media.trim()) {
        Media::Text(format) if utf8 => Some(format),
        _ => None,
    }
}

/// What a media type that is not gRPC's says; a multipart body needs its boundary besides.
pub(super) fn media(headers: &Headers<'_>, media: &str) -> Media {
    if media.starts_with("multipart/") {
        let boundary = parameter(headers, "boundary").and_then(|it| Boundary::new(it.as_bytes()));
        return boundary.map_or(Media::Unknown, |it| Media::Text(Format::Multipart(it)));
    }
    Format::of_media(media)
}

/// Whether nothing in the content-type says that the text is in another encoding than UTF-8, of
/// which ASCII is a part.
pub(super) fn is_utf8(headers: &Headers<'_>) -> bool {
    has_charset(headers, mask::is_utf8)
}

/// Whether an ASCII byte means that character wherever it stands, in the encoding that the
/// content-type names.
pub(super) fn is_searchable(headers: &Headers<'_>) -> bool {
    has_charset(headers, keeps_ascii)
}

/// Whether the content-type names no encoding, or one that is known.
fn has_charset(headers: &Headers<'_>, is_known: impl Fn(&str) -> bool) -> bool {
    let says = |value: &[u8]| {
        let name = b"charset";
        let mut windows = value.windows(name.len());
        windows.any(|window| window.eq_ignore_ascii_case(name))
    };
    if !values(headers, "content-type").any(says) {
        return true;
    }
    // What is said twice, or in a way that is not read here, some server may read in another way.
    parameter(headers, "charset").is_some_and(|charset| is_known(&charset.to_ascii_lowercase()))
}

/// Messages of gRPC as a client sends them, whatever they are encoded as.
pub(super) fn is_grpc(media: &str) -> bool {
    media == "application/grpc" || media.starts_with("application/grpc+")
}

/// Whether a head's media type is gRPC's.
pub(in crate::exchange) fn speaks_grpc(headers: &Headers<'_>) -> bool {
    media_type(headers).as_deref().is_some_and(is_grpc)
}
