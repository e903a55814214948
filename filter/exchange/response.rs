//! The response under the mask.

use std::rc::Rc;

use super::beside::Beside;
use super::body::{Body, WITHHELD};
use super::carrier::carrier;
use super::event::{Effect, Flow, Headers, Outcome};
use super::headers::{OF_THE_BYTES, has, single};
use super::reply::Refusal;
use super::response_gate::Kept;
use super::{Exchange, Guard, Phase, World};
use crate::mask::Originals;
use crate::operation::Shape;
use crate::record::Record;

/// What is masked of a response, and how far that is.
#[derive(Debug)]
pub(super) struct Masking {
    /// Index of the mask plan.
    plan: Option<usize>,
    /// What is put back.
    originals: Option<Rc<Originals>>,
    /// What the request's body was, which tells the messages of a gRPC answer.
    shape: Shape,
    body: Option<Box<Body>>,
    beside: Beside,
    /// Whether trailers may follow the body without another call for a piece.
    trailers_possible: bool,
    /// How many bytes of the body are to come, where its head says so.
    to_come: Option<u64>,
    /// The body has come to its end.
    over: bool,
    /// Whether the head waits for the first piece of the body.
    head_waits: bool,
    /// The whole response, where it waits for its end, or for a person.
    pub(super) kept: Option<Kept>,
}

impl Masking {
    pub(super) fn planned(plan: Option<usize>, shape: Shape) -> Self {
        Self {
            plan,
            originals: None,
            shape,
            body: None,
            beside: Beside::default(),
            trailers_possible: false,
            to_come: None,
            over: false,
            head_waits: false,
            kept: None,
        }
    }

    /// Puts these back.
    pub(super) fn restoring(self, originals: Originals) -> Self {
        Self {
            originals: Some(originals)
                .filter(|originals| !originals.is_empty())
                .map(Rc::new),
            ..self
        }
    }

    pub(super) fn is_planned(&self) -> bool {
        self.plan.is_some() || self.originals.is_some()
    }

    pub(super) fn is_active(&self) -> bool {
        self.body.is_some()
    }

    pub(super) fn plan(&self) -> Option<usize> {
        self.plan
    }

    /// Whether the head waits for the body.
    pub(super) fn awaits_body(&self) -> bool {
        self.head_waits && !self.over
    }

    pub(super) fn is_held(&self) -> bool {
        self.kept.is_some()
    }

    /// What makes the response wait for a person: detectors that found something.
    fn waits_for(&self, guard: &Guard) -> Vec<String> {
        match (guard.masks(self.plan), &self.body) {
            (Some(masks), Some(body)) => body.pass().gated(masks).into_keys().collect(),
            _ => Vec::new(),
        }
    }

    /// Writes the matches into the record.
    pub(super) fn count(&self, guard: &Guard, record: &mut Record) {
        if let (Some(masks), Some(body)) = (guard.masks(self.plan), &self.body) {
            record.response.matches = body.pass().matches(masks);
            record.response.alerts = body.pass().alerts(masks);
            record.response.restored = body.pass().restored();
        }
        self.beside.count(&mut record.response);
    }
}

/// Removes them, and with them the name of a coding that is undone. Vary stays: what the model
/// server would have sent to another client may be another text.
fn of_the_bytes(headers: &Headers<'_>, decoded: bool) -> Vec<Effect> {
    OF_THE_BYTES
        .iter()
        .chain(decoded.then_some(&"content-encoding"))
        .filter(|name| has(headers, name))
        .map(|name| Effect::RemoveResponseHeader(name))
        .collect()
}

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
        if !masking.is_planned() {
            return Outcome::go_on();
        }
        let Some(masks) = self.guard.masks(masking.plan) else {
            return self.refuse_response("mask_unavailable");
        };
        let originals = masking.originals.as_ref();
        let status_text = masking.beside.head(masks, originals, headers);
        self.record.response.masked = masking.beside.seen && !masks.only_count();
        if masking.beside.cut {
            return self.withhold(WITHHELD);
        }
        let go_on = |effects| Outcome {
            effects,
            flow: Flow::Continue,
        };
        let bodiless = self.head_request || status == Some(304);
        if end && !bodiless {
            return go_on(status_text);
        }
        let parts = masks.options().partial_content;
        let carrier = match carrier(headers, status, masking.shape, parts) {
            Ok(Some(carrier)) => carrier,
            // Nothing comes that could have to be refused.
            Err(_) if bodiless => return go_on(status_text),
            Ok(None) => return go_on(status_text),
            // Nothing would have been hidden.
            Err(_) if masks.only_count() => return go_on(status_text),
            Err(code) => return self.refuse_response(code),
        };
        let mut effects = status_text;
        if !masks.only_count() || originals.is_some() {
            effects.extend(of_the_bytes(headers, carrier.coding.is_some()));
        }
        if bodiless {
            // It says of a body what would not be true of it under the mask.
            return go_on(effects);
        }
        // Envoy's HTTP/1 codec drops trailers unless it is told otherwise, so a body in chunks ends
        // with its last piece. Of one with a length it is known when it has come: its end is
        // written then, whether or not trailers follow, and nothing has to wait for them.
        let chunked = has(headers, "transfer-encoding");
        let length = single(headers, "content-length").filter(|_| !chunked);
        masking.to_come = length.and_then(|text| text.parse().ok());
        masking.trailers_possible = !chunked && masking.to_come.is_none();
        masking.head_waits = masks.may_cut() || masks.may_wait();
        if masking.head_waits && !end && !world.bodies_come {
            return self.refuse_response_with(Refusal::no_bodies());
        }
        masking.kept = masks.may_wait().then(Kept::default);
        masking.body = Some(Box::new(Body::new(carrier, masks, originals)));
        self.record.response.masked = !masks.only_count();
        let flow = if masking.head_waits {
            Flow::Hold
        } else {
            Flow::Continue
        };
        Outcome { effects, flow }
    }

    pub(super) fn response_body(&mut self, piece: &[u8], end: bool, world: World<'_>) -> Outcome {
        let guard = Rc::clone(&self.guard);
        let Phase::Passed(masking) = &mut self.phase else {
            return Outcome::go_on();
        };
        let Some(body) = &mut masking.body else {
            return Outcome::go_on();
        };
        let Some(masks) = guard.masks(masking.plan) else {
            return self.cut("mask_unavailable");
        };
        if masking.over && !piece.is_empty() {
            return self.cut("body_too_long");
        }
        let came = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        masking.to_come = masking.to_come.map(|bytes| bytes.saturating_sub(came));
        let last = end || masking.to_come == Some(0);
        let pushed = if masking.over {
            Ok(Vec::new())
        } else {
            body.push(masks, piece, last)
        };
        masking.over |= last;
        let held = body.holds();
        let head_waits = masking.head_waits;
        masking.head_waits = masking.is_held();
        let out = match pushed {
            Ok(out) => out,
            Err(code) if head_waits => return self.withhold(code),
            Err(code) => return self.cut(code),
        };
        let hold = held && !last && masking.trailers_possible;
        let found = if end {
            masking.waits_for(&guard)
        } else {
            Vec::new()
        };
        if let Some(kept) = &mut masking.kept {
            self.record.note_received(piece.len());
            return match kept.add(&out) {
                Err(code) => self.withhold(code),
                Ok(()) if end => self.answer_whole(&found, world),
                Ok(()) => Outcome {
                    effects: vec![Effect::ReplaceResponseBody(Vec::new())],
                    flow: Flow::Hold,
                },
            };
        }
        self.record.note_received(piece.len());
        self.record.note_sent(out.len());
        Outcome {
            effects: vec![Effect::ReplaceResponseBody(out)],
            flow: if hold { Flow::Hold } else { Flow::Continue },
        }
    }

    pub(super) fn response_trailers(
        &mut self,
        trailers: &Headers<'_>,
        world: World<'_>,
    ) -> Outcome {
        let guard = Rc::clone(&self.guard);
        let Phase::Passed(masking) = &mut self.phase else {
            return Outcome::go_on();
        };
        let Some(masks) = guard.masks(masking.plan) else {
            return self.cut("mask_unavailable");
        };
        let originals = masking.originals.as_ref();
        let mut effects = masking.beside.trailers(masks, originals, trailers);
        let waits = masking.head_waits || masking.is_held();
        self.record.response.masked |= masking.beside.seen && !masks.only_count();
        if masking.beside.cut {
            if waits {
                return self.withhold(WITHHELD);
            }
            self.record.response.code = Some(WITHHELD);
        }
        let outcome = self.response_body(b"", true, world);
        effects.extend(outcome.effects);
        Outcome { effects, ..outcome }
    }

    /// The response's head has not gone: an error takes its place.
    fn refuse_response(&mut self, code: &'static str) -> Outcome {
        self.refuse_response_with(Refusal::new(
            502,
            code,
            "The model server's answer can't be masked, and is not passed on unmasked.",
        ))
    }

    pub(super) fn refuse_response_with(&mut self, refusal: Refusal) -> Outcome {
        self.phase = Phase::Over;
        self.record.response.code = Some(refusal.code);
        Outcome {
            effects: vec![Effect::Reply(refusal.into_reply(self.dialect))],
            flow: Flow::Hold,
        }
    }

    /// The response is refused for what is in its body, before any of it has gone.
    fn withhold(&mut self, code: &'static str) -> Outcome {
        if let Phase::Passed(masking) = &self.phase {
            masking.count(&self.guard, &mut self.record);
        }
        if code != WITHHELD {
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
