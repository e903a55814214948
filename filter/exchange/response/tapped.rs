//! A response on its way to the client, and what looks at it.

use super::plan::ResponsePlan;
use crate::exchange::asked::Asked;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::headers::JSON_BYTES;
use crate::exchange::masked_fields::MaskedFields;
use crate::exchange::taps::{ResponseTaps, Wanted};

/// A response on its way to the client, of which something is wanted.
#[derive(Debug)]
pub(in crate::exchange) struct Tapped {
    plan: ResponsePlan,
    /// The body's way; none where there is nothing to look at in it.
    pub(super) taps: Option<ResponseTaps>,
    pub(super) fields: MaskedFields,
    /// Whether trailers may follow the body without another call for a piece.
    pub(super) trailers_possible: bool,
    /// How many bytes of the body are to come, where its head says so.
    pub(super) to_come: Option<u64>,
}

impl Tapped {
    pub(super) fn new(plan: ResponsePlan, fields: MaskedFields) -> Self {
        Self {
            plan,
            taps: None,
            fields,
            trailers_possible: false,
            to_come: None,
        }
    }

    pub(super) fn has_body(&self) -> bool {
        self.taps.is_some()
    }

    /// Whether the head waits for what it has to say of the body.
    pub(super) fn measures(&self) -> bool {
        self.taps.as_ref().is_some_and(ResponseTaps::measures)
    }

    /// What the head has to say of the body, now that that is known and before it goes.
    pub(super) fn measured(&self) -> Option<Effect> {
        let bytes = self.taps.as_ref()?.other_json_bytes()?;
        Some(Effect::SetResponseHeader {
            name: JSON_BYTES,
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
            taps.note(response);
        }
        self.fields.count(response);
    }
}
