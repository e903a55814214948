//! The response under the mask.

use super::event::{Effect, Flow, Headers, Outcome};
use super::headers::{has, is_encoded, is_grpc, is_json, media_type, single};
use super::reply::Refusal;
use super::{Exchange, Guard, Phase, World};
use crate::mask::{Format, GrpcMessage, Originals, Pass, Stop, WalkError};
use crate::operation::Shape;
use crate::record::Record;

/// What is masked of a response, and how far that is.
#[derive(Debug)]
pub(super) struct Masking {
    /// Index of the mask plan.
    plan: Option<usize>,
    /// What is put back.
    originals: Option<Originals>,
    /// What the request's body was, which tells the messages of a gRPC answer.
    shape: Shape,
    pass: Option<Box<Pass>>,
    /// Whether trailers may follow the body without another call for a piece.
    trailers_possible: bool,
    /// Whether the head waits for the first piece of the body.
    head_waits: bool,
}

impl Masking {
    pub(super) fn planned(plan: Option<usize>, shape: Shape) -> Self {
        Self {
            plan,
            originals: None,
            shape,
            pass: None,
            trailers_possible: false,
            head_waits: false,
        }
    }

    /// Puts these back.
    pub(super) fn restoring(self, originals: Originals) -> Self {
        Self {
            originals: Some(originals).filter(|originals| !originals.is_empty()),
            ..self
        }
    }

    pub(super) fn is_planned(&self) -> bool {
        self.plan.is_some() || self.originals.is_some()
    }

    pub(super) fn is_active(&self) -> bool {
        self.pass.is_some()
    }

    /// Writes the matches into the record.
    pub(super) fn count(&self, guard: &Guard, record: &mut Record) {
        if let (Some(masks), Some(pass)) = (guard.masks(self.plan), &self.pass) {
            record.response.matches = pass.matches(masks);
            record.response.alerts = pass.alerts(masks);
            record.response.restored = pass.restored();
        }
    }
}

/// Headers that describe the bytes of a body, and are wrong once they change (RFC 9110,
/// RFC 9530).
const OF_THE_BYTES: &[&str] = &[
    "content-length",
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "etag",
    "accept-ranges",
];

impl Exchange {
    pub(super) fn response_head(
        &mut self,
        headers: &Headers<'_>,
        end: bool,
        world: World<'_>,
    ) -> Outcome {
        let status = single(headers, ":status").and_then(|text| text.parse::<u16>().ok());
        self.record.response.status = status;
        self.record.timing.response = Some(self.elapsed(world));
        let Phase::Passed(masking) = &mut self.phase else {
            return Outcome::go_on();
        };
        if !masking.is_planned() || end || self.head_request {
            return Outcome::go_on();
        }
        let Some(masks) = self.guard.masks(masking.plan) else {
            return self.refuse_response("mask_unavailable");
        };
        let format = match format(headers, status, masking.shape) {
            Ok(Some(format)) => format,
            Ok(None) => return Outcome::go_on(),
            // Nothing would have been hidden.
            Err(_) if masks.only_count() => return Outcome::go_on(),
            Err(code) => return self.refuse_response(code),
        };
        // HTTP/1.1 says how a body ends: by its length or by its last chunk, and Envoy's HTTP/1
        // codec drops trailers unless it is told otherwise.
        masking.trailers_possible = !has(headers, "transfer-encoding");
        let originals = masking.originals.take();
        let changes = !masks.only_count() || originals.is_some();
        masking.head_waits = masks.may_cut();
        masking.pass = Some(Box::new(Pass::new(masks, format, originals)));
        self.record.response.masked = !masks.only_count();
        let flow = if masking.head_waits {
            Flow::Hold
        } else {
            Flow::Continue
        };
        Outcome {
            effects: OF_THE_BYTES
                .iter()
                .filter(|name| changes && has(headers, name))
                .map(|name| Effect::RemoveResponseHeader(name))
                .collect(),
            flow,
        }
    }

    pub(super) fn response_body(&mut self, piece: &[u8], end: bool) -> Outcome {
        let guard = std::rc::Rc::clone(&self.guard);
        let Phase::Passed(masking) = &mut self.phase else {
            return Outcome::go_on();
        };
        let Some(pass) = &mut masking.pass else {
            return Outcome::go_on();
        };
        let Some(masks) = guard.masks(masking.plan) else {
            return self.cut("mask_unavailable");
        };
        let mut out = Vec::with_capacity(piece.len());
        let mut result = pass.push(masks, piece, &mut out);
        if end && result.is_ok() {
            result = pass.finish(masks, &mut out);
        }
        let head_waits = core::mem::take(&mut masking.head_waits);
        let held = pass.held() > 0;
        match result {
            Ok(()) => {}
            Err(stop) if head_waits => return self.withhold(stop),
            Err(stop) => return self.cut(code_of(stop)),
        }
        let flow = if held && !end && masking.trailers_possible {
            Flow::Hold
        } else {
            Flow::Continue
        };
        self.note_bytes(piece.len(), out.len());
        Outcome {
            effects: vec![Effect::ReplaceResponseBody(out)],
            flow,
        }
    }

    pub(super) fn response_trailers(&mut self) -> Outcome {
        self.response_body(b"", true)
    }

    fn note_bytes(&mut self, received: usize, sent: usize) {
        let add = |total: &mut u64, more: usize| {
            *total = total.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        };
        add(&mut self.record.response.bytes_received, received);
        add(&mut self.record.response.bytes_sent, sent);
    }

    /// The response's head has not gone: an error takes its place.
    fn refuse_response(&mut self, code: &'static str) -> Outcome {
        self.phase = Phase::Over;
        self.record.response.code = Some(code);
        let refusal = Refusal::new(
            502,
            code,
            "The model server's answer can't be masked, and is not passed on unmasked.",
        );
        Outcome {
            effects: vec![Effect::Reply(refusal.into_reply(self.dialect))],
            flow: Flow::Hold,
        }
    }

    /// The response is refused for what its body begins with.
    fn withhold(&mut self, stop: Stop) -> Outcome {
        if let Phase::Passed(masking) = &self.phase {
            masking.count(&self.guard, &mut self.record);
        }
        let code = code_of(stop);
        if stop != Stop::Cut {
            return self.refuse_response(code);
        }
        self.phase = Phase::Over;
        self.record.response.code = Some(code);
        let refusal = Refusal::new(
            403,
            code,
            "The answer holds something that the policy does not let through.",
        );
        Outcome {
            effects: vec![
                Effect::ReplaceResponseBody(Vec::new()),
                Effect::Reply(refusal.into_reply(self.dialect)),
            ],
            flow: Flow::Hold,
        }
    }

    /// The response's head has gone: all that is left is to end the connection.
    fn cut(&mut self, code: &'static str) -> Outcome {
        if let Phase::Passed(masking) = &self.phase {
            masking.count(&self.guard, &mut self.record);
        }
        self.phase = Phase::Over;
        self.record.response.code = Some(code);
        Outcome {
            effects: vec![Effect::ReplaceResponseBody(Vec::new()), Effect::CutResponse],
            flow: Flow::Hold,
        }
    }
}

/// The code of a body that could not be masked to its end.
pub(super) fn code_of(stop: Stop) -> &'static str {
    match stop {
        Stop::Cut => "match_withheld",
        Stop::Walk(error) => match error {
            WalkError::TooLarge => "piece_too_large",
            WalkError::TooManyTexts => "too_many_texts",
            WalkError::Compressed => "message_compressed",
            WalkError::Malformed => "message_malformed",
            WalkError::Truncated => "message_truncated",
            WalkError::UnknownMessage => "grpc_not_maskable",
        },
    }
}

/// How a response's body is read; `None` for one that has no text; an error for one that may
/// have text that can't be read.
fn format(
    headers: &Headers<'_>,
    status: Option<u16>,
    shape: Shape,
) -> Result<Option<Format>, &'static str> {
    match status {
        Some(204 | 304) => return Ok(None),
        Some(101) => return Err("upgrade_not_maskable"),
        Some(206) => return Err("range_not_maskable"),
        Some(_) => {}
        None => return Err("status_not_readable"),
    }
    if is_encoded(headers) {
        return Err("encoding_not_maskable");
    }
    let Some(media) = media_type(headers) else {
        // One content-type that can't be read is no better than several.
        return if has(headers, "content-type") {
            Err("media_type_not_maskable")
        } else {
            Ok(Some(Format::Json))
        };
    };
    if is_grpc(&media) {
        return match shape {
            Shape::TensorsGrpc => Ok(Some(Format::Grpc(GrpcMessage::ModelInferResponse))),
            Shape::TensorsGrpcStream => {
                Ok(Some(Format::Grpc(GrpcMessage::ModelStreamInferResponse)))
            }
            _ => Err("grpc_not_maskable"),
        };
    }
    if media == "text/event-stream" {
        return Ok(Some(Format::Events));
    }
    if is_json(&media) {
        return Ok(Some(Format::Json));
    }
    if [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
    ]
    .contains(&media.as_str())
    {
        return Ok(Some(Format::Lines));
    }
    if media.starts_with("text/") {
        return Ok(Some(Format::Text));
    }
    let sound_or_picture = ["audio/", "image/", "video/", "font/"]
        .iter()
        .any(|kind| media.starts_with(kind));
    // SVG is text.
    if sound_or_picture && !media.ends_with("+xml") {
        return Ok(None);
    }
    Err("media_type_not_maskable")
}
