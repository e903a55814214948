//! The request under the mask: what the model is not to see.
//!
//! The body is whole, so it is changed at once, before any of it has gone. What is decided, counted
//! and approved rests on the body as the caller sent it. A body that can't be read with certainty
//! is refused: it could hold what the mask is for.

use super::body::WITHHELD;
use super::event::{Effect, Headers};
use super::headers::{has, is_encoded, is_grpc, is_json, media_type, single};
use super::reply::Refusal;
use super::request::{Seen, not_readable};
use super::{Exchange, Guard};
use crate::config::rules::RequestMask;
use crate::encoding::Coding;
use crate::json;
use crate::mask::{Format, Framing, GrpcMessage, Masks, Originals, Pass, Stop};
use crate::operation::Shape;

/// How a request carries text, and what its head says of its bytes.
#[derive(Clone, Debug)]
pub(super) struct Carriage {
    format: Option<(Format, Framing)>,
    /// Whether its length is said.
    sized: bool,
    /// Headers that are wrong once the bytes change.
    digests: Vec<&'static str>,
}

/// Headers that describe the bytes of a body (RFC 9530, RFC 1864).
const DIGESTS: &[&str] = &["content-md5", "digest", "content-digest", "repr-digest"];

impl Carriage {
    /// Reads a head.
    pub(super) fn of(headers: &Headers<'_>, shape: Shape) -> Self {
        let media = media_type(headers).filter(|_| !is_encoded(headers));
        let framing = Framing {
            compression: single(headers, "grpc-encoding")
                .and_then(|name| Coding::named(name.as_bytes())),
            web: false,
        };
        Self {
            format: media
                .and_then(|media| format(&media, shape))
                .map(|format| (format, framing)),
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
        self.format.is_some()
    }
}

impl Guard {
    /// Whether a mask wants a request's body: not where it could only count, and can't.
    pub(super) fn reads(&self, mask: RequestMask, carriage: &Carriage, seen: Seen<'_>) -> bool {
        let counts = self.masks(Some(mask.plan)).is_some_and(Masks::only_count);
        matches!(seen, Seen::Here(_)) || carriage.is_readable() || !counts
    }
}

fn format(media: &str, shape: Shape) -> Option<Format> {
    if is_grpc(media) {
        // A stream's client may wait for an answer before it sends more: the end may never come.
        return (shape == Shape::TensorsGrpc)
            .then_some(Format::Grpc(GrpcMessage::ModelInferRequest));
    }
    if is_json(media) {
        return Some(Format::Json);
    }
    match media {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Format::Lines),
        "text/plain" => Some(Format::Text),
        _ => None,
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
        let format = carriage
            .format
            .filter(|(format, _)| is_certain(*format, body));
        let Some(format) = format else {
            return if masks.only_count() {
                Ok(Sent::default())
            } else {
                Err(unmaskable())
            };
        };
        let mut pass = Pass::new(masks, format, None);
        masks.begin_noting();
        let result = run(&mut pass, masks, body);
        let originals = masks.end_noting();
        let request = &mut self.record.request;
        request.masked = !masks.only_count();
        request.matches = pass.matches(masks);
        request.alerts = pass.alerts(masks);
        if mask.restore {
            request.not_kept = originals.left_out();
        }
        let out = result.map_err(|stop| match stop {
            Stop::Cut => Refusal::new(
                403,
                WITHHELD,
                "The request holds something that the policy does not let through.",
            ),
            Stop::Walk(_) => unmaskable(),
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

fn run(pass: &mut Pass, masks: &Masks, body: &[u8]) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::with_capacity(body.len());
    pass.push(masks, body, &mut out)?;
    pass.finish(masks, &mut out)?;
    Ok(out)
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
        Format::Json => json::parse(body).is_ok(),
        Format::Lines => lines().all(|line| line.is_empty() || json::parse(line).is_ok()),
        // What a part is read as is its own media type's matter; many parts are no text.
        Format::Grpc(_) | Format::Multipart(_) => true,
        Format::Text | Format::Events | Format::Html | Format::Xml => {
            !body.contains(&0) && core::str::from_utf8(body).is_ok()
        }
    }
}

pub(super) fn unmaskable() -> Refusal {
    not_readable("The body can't be masked, and is not passed on unmasked.")
}
