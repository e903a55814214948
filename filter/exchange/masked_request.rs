//! The request under the mask: what the model is not to see.
//!
//! The body is whole, so it is changed at once, before any of it has gone. What is decided, counted
//! and approved rests on the body as the caller sent it. A body that can't be read with certainty
//! is refused: it could hold what the mask is for.

use super::body::WITHHELD;
use super::event::{Effect, Headers};
use super::headers::{has, is_encoded, is_grpc, media_type, parameter, single};
use super::reply::Refusal;
use super::request::{Seen, not_readable, over};
use super::{Exchange, Guard};
use crate::coding::Coding;
use crate::config::rules::RequestMask;
use crate::json;
use crate::mask::{Boundary, Format, Framing, GrpcMessage, Masks, Media, Originals, Pass, Stop};
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
    /// It has text.
    Text(Format, Framing),
    /// It has none.
    NoText,
    /// It may have text that can't be read.
    Not,
}

/// Headers that describe the bytes of a body (RFC 9530, RFC 1864).
const DIGESTS: &[&str] = &["content-md5", "digest", "content-digest", "repr-digest"];

impl Carriage {
    /// Reads a head.
    pub(super) fn of(headers: &Headers<'_>, operation: &Operation) -> Self {
        let read = match media_type(headers) {
            Some(media) if !is_encoded(headers) => read(&media, headers, operation),
            _ => Read::Not,
        };
        Self {
            read,
            sized: has(headers, "content-length"),
            digests: DIGESTS
                .iter()
                .copied()
                .filter(|name| has(headers, name))
                .collect(),
        }
    }

    /// Whether such a body can be masked.
    pub(super) fn is_readable(&self) -> bool {
        matches!(self.read, Read::Text(..))
    }

    /// Whether there is nothing to mask in such a body.
    fn has_no_text(&self) -> bool {
        matches!(self.read, Read::NoText)
    }
}

impl Guard {
    /// Whether a mask wants a request's body: not where there is nothing to mask, nor where it could
    /// only count, and can't.
    pub(super) fn reads(&self, mask: RequestMask, carriage: &Carriage, seen: Seen<'_>) -> bool {
        let counts = self.masks(Some(mask.plan)).is_some_and(Masks::only_count);
        let passes = carriage.has_no_text() || (counts && !carriage.is_readable());
        matches!(seen, Seen::Here(_)) || !passes
    }
}

fn read(media: &str, headers: &Headers<'_>, operation: &Operation) -> Read {
    let text = |format| Read::Text(format, Framing::default());
    if is_grpc(media) {
        let message = match operation.body {
            Shape::TensorsGrpc => GrpcMessage::ModelInferRequest,
            // The catalog's other calls of gRPC are of one message. Of a stream that is not known,
            // the client may wait for an answer before it sends more: its end may never come.
            Shape::Opaque if operation.dialect == Dialect::Grpc => GrpcMessage::Any,
            _ => return Read::Not,
        };
        let compression =
            single(headers, "grpc-encoding").and_then(|name| Coding::named(name.as_bytes()));
        let framing = Framing {
            compression,
            web: false,
        };
        return Read::Text(Format::Grpc(message), framing);
    }
    if media.starts_with("multipart/") {
        let boundary = parameter(headers, "boundary");
        let boundary = boundary.and_then(|boundary| Boundary::new(boundary.as_bytes()));
        return boundary.map_or(Read::Not, |boundary| text(Format::Multipart(boundary)));
    }
    match Format::of_media(media) {
        Media::Text(format) => text(format),
        Media::NoText => Read::NoText,
        Media::Unknown => Read::Not,
    }
}

/// A body as it goes to the model server.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// What changes.
    pub(super) effects: Vec<Effect>,
    /// What is put back in the answer.
    pub(super) originals: Option<Originals>,
}

impl Exchange {
    /// Masks the request's body.
    pub(super) fn mask_request(
        &mut self,
        guard: &Guard,
        mask: RequestMask,
        carriage: &Carriage,
        body: &[u8],
    ) -> Result<Sent, Refusal> {
        if body.is_empty() {
            return Ok(Sent::default());
        }
        let masks = guard.masks(Some(mask.plan)).ok_or_else(unmaskable)?;
        let format = match carriage.read {
            Read::Text(format, framing) if is_certain(format, body) => (format, framing),
            Read::NoText => return Ok(Sent::default()),
            _ if masks.only_count() => return Ok(Sent::default()),
            _ => return Err(unmaskable()),
        };
        let mut pass = Pass::of_request(masks, format);
        let limit = guard.policy.limits.request_body;
        let result = run(&mut pass, masks, body, limit);
        let originals = pass.take_originals();
        let request = &mut self.record.request;
        request.masked = !masks.only_count();
        request.matches = pass.matches(masks);
        request.alerts = pass.alerts(masks);
        if mask.restore {
            request.not_kept = originals.left_out();
        }
        let out = result.map_err(|unsent| match unsent {
            Unsent::TooLarge => Refusal::too_large(limit),
            Unsent::Stopped(Stop::Cut) => Refusal::new(
                403,
                WITHHELD,
                "The request holds something that the policy does not let through.",
            ),
            Unsent::Stopped(Stop::Walk(_)) => unmaskable(),
        })?;
        Ok(Sent {
            effects: if out == body {
                Vec::new()
            } else {
                changes(carriage, out)
            },
            originals: mask.restore.then_some(originals),
        })
    }
}

/// What is masked at once of a body.
const PIECE_BYTES: usize = 16 << 10;

/// Room for what a piece becomes, and by how much a body's place grows where that is not enough.
const PIECE_ROOM: usize = 1 << 20;
const GROWTH_BYTES: usize = 4 << 20;

/// A replacement may be longer than what it replaces: the body under the mask may have twice the
/// size that a body may have.
fn run(pass: &mut Pass, masks: &Masks, body: &[u8], limit: u64) -> Result<Vec<u8>, Unsent> {
    let mut out = Vec::with_capacity(body.len().saturating_add(PIECE_ROOM / 16));
    for piece in body.chunks(PIECE_BYTES) {
        // Not by the vector's own doubling, which would take three times the body for a moment.
        if body.len() > PIECE_ROOM && out.capacity() - out.len() < PIECE_ROOM {
            out.reserve_exact(GROWTH_BYTES);
        }
        pass.push(masks, piece, &mut out)?;
        if over(out.len(), limit.saturating_mul(2)) {
            return Err(Unsent::TooLarge);
        }
    }
    pass.finish(masks, &mut out)?;
    Ok(out)
}

/// Why a masked body is not sent.
enum Unsent {
    Stopped(Stop),
    TooLarge,
}

impl From<Stop> for Unsent {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// A body of another length under the old length would end in the middle, or in the next
/// request.
fn changes(carriage: &Carriage, body: Vec<u8>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = carriage
        .digests
        .iter()
        .map(|name| Effect::RemoveRequestHeader((*name).to_owned()))
        .collect();
    if carriage.sized {
        effects.push(Effect::SetRequestHeader {
            name: "content-length".to_owned(),
            value: body.len().to_string(),
        });
    }
    effects.push(Effect::ReplaceRequestBody(body));
    effects
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

pub(super) fn unmaskable() -> Refusal {
    not_readable("The body can't be masked, and is not passed on unmasked.")
}
