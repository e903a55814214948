//! A response on its way to the client, and what looks at it.

use super::plan::ResponsePlan;
use crate::dialect::Stream;
use crate::exchange::asked::Asked;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::headers::JSON_BYTES;
use crate::exchange::masked_fields::MaskedFields;
use crate::exchange::media::TextForm;
use crate::exchange::taps::{ResponseTaps, Wanted, note_secrets};
use mask::Format;

/// How many bytes tell whether a part has ended.
const MOST_BETWEEN: usize = 4;

/// A response on its way to the client, of which something is wanted.
#[derive(Debug)]
pub(in crate::exchange) struct Tapped {
    plan: ResponsePlan,
    /// The body's way; none where there is nothing to look at in it.
    pub(super) taps: Option<ResponseTaps>,
    pub(super) fields: MaskedFields,
    /// Secrets of the guard's own in the head and the trailers.
    pub(super) secrets: u64,
    /// How its body is cut into parts, if an error can be said between two of them, as its head says.
    pub(super) stream: Option<Stream>,
    /// Its trailers have come: nothing can be said in front of them.
    pub(super) ends: bool,
    /// The last bytes of the body that have gone.
    gone: Vec<u8>,
    /// Whether trailers may follow the body without another call for a piece.
    pub(super) trailers_possible: bool,
    /// How many bytes of the body are to come, where its head says so.
    pub(super) to_come: Option<u64>,
    /// Its content-type, and how it carries text, where it may wait for a person.
    pub(super) held: Option<(String, TextForm)>,
}

impl Tapped {
    pub(super) fn new(plan: ResponsePlan, fields: MaskedFields) -> Self {
        Self {
            plan,
            taps: None,
            fields,
            secrets: 0,
            stream: None,
            ends: false,
            gone: Vec::new(),
            trailers_possible: false,
            to_come: None,
            held: None,
        }
    }

    pub(super) fn has_body(&self) -> bool {
        self.taps.is_some()
    }

    /// Whether the body may still turn out to be none that can be masked, by its first bytes.
    pub(super) fn wants_proof(&self) -> bool {
        self.taps.as_ref().is_some_and(ResponseTaps::wants_proof)
    }

    /// These bytes of the body go.
    pub(super) fn note_gone(&mut self, bytes: &[u8]) {
        let last = bytes.len().saturating_sub(MOST_BETWEEN);
        self.gone.extend(bytes.get(last..).unwrap_or_default());
        let before = self.gone.len().saturating_sub(MOST_BETWEEN);
        self.gone.drain(..before);
    }

    /// How an error can be said behind what has gone: not in the middle of a part.
    pub(super) fn is_between(&self) -> Option<Stream> {
        let ends = |ends: &[&[u8]]| ends.iter().any(|end| self.gone.ends_with(end));
        let stream = self.stream.or_else(|| self.turned_out());
        stream.filter(|_| !self.ends).filter(|stream| {
            self.gone.is_empty()
                || match stream {
                    Stream::Events => ends(&[b"\n\n", b"\r\r", b"\r\n\r\n"]),
                    Stream::Lines => ends(&[b"\n"]),
                }
        })
    }

    /// The stream that the body has turned out to be, whatever its head calls it.
    fn turned_out(&self) -> Option<Stream> {
        match self.taps.as_ref()?.turned_out()? {
            Format::Events => Some(Stream::Events),
            Format::Lines => Some(Stream::Lines),
            _ => None,
        }
    }

    /// Whether the head waits for what it has to say of the body.
    pub(super) fn measures(&self) -> bool {
        self.taps.as_ref().is_some_and(ResponseTaps::measures)
    }

    /// What the head has to say of the body, now that that is known and before it goes.
    pub(super) fn measured(&self) -> Option<Effect> {
        let bytes = self.taps.as_ref()?.other_json_bytes()?;
        Some(Effect::SetResponseHeader {
            name: JSON_BYTES.to_owned(),
            value: bytes.to_string().into_bytes(),
        })
    }

    /// The request that is answered.
    pub(super) fn asked(&self) -> &Asked {
        &self.plan.asked
    }

    pub(super) fn wanted(&self) -> &Wanted {
        &self.plan.wanted
    }

    /// Detectors that found something for which the response waits for a person.
    pub(super) fn found_for_a_person(&self) -> Vec<String> {
        let taps = self.taps.as_ref();
        taps.map_or_else(Vec::new, ResponseTaps::found_for_a_person)
    }

    /// Writes what was found into the record. What follows is not looked at.
    pub(super) fn note(&self, context: &mut Context) {
        let response = &mut context.record.response;
        if let Some(taps) = &self.taps {
            if self.turned_out().is_some() {
                response.streamed = Some(true);
            }
            taps.note(response);
        }
        self.fields.count(response);
        note_secrets(self.secrets, response);
    }
}
