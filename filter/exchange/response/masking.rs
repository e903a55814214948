//! What is under the mask of a response, and how far that is.

use std::rc::Rc;

use super::plan::ResponsePlan;
use crate::exchange::asked::Asked;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::context::Context;
use crate::exchange::masked_fields::MaskedFields;
use crate::exchange::pipeline::Pipeline;
use crate::mask::Masks;

/// A response under its mask.
#[derive(Debug)]
pub(in crate::exchange) struct Masking {
    plan: ResponsePlan,
    /// The body's way; none where there is nothing to look at in it.
    pub(super) pipeline: Option<Pipeline>,
    pub(super) fields: MaskedFields,
    /// Whether trailers may follow the body without another call for a piece.
    pub(super) trailers_possible: bool,
    /// How many bytes of the body are to come, where its head says so.
    pub(super) to_come: Option<u64>,
}

impl Masking {
    pub(super) fn new(plan: ResponsePlan, fields: MaskedFields) -> Self {
        Self {
            plan,
            pipeline: None,
            fields,
            trailers_possible: false,
            to_come: None,
        }
    }

    pub(super) fn has_body(&self) -> bool {
        self.pipeline.is_some()
    }

    /// The request that is answered.
    pub(super) fn asked(&self) -> &Asked {
        &self.plan.asked
    }

    pub(super) fn plan(&self) -> &ResponsePlan {
        &self.plan
    }

    pub(super) fn masks<'g>(&self, compiled: &'g CompiledPolicy) -> Option<&'g Masks> {
        compiled.masks(self.plan.mask)
    }

    /// Detectors that found something for which the response waits for a person.
    pub(super) fn found_for_a_person(&self, compiled: &CompiledPolicy) -> Vec<String> {
        match (self.masks(compiled), &self.pipeline) {
            (Some(masks), Some(pipeline)) => pipeline.pass().gated(masks).into_keys().collect(),
            _ => Vec::new(),
        }
    }

    /// Who may decide on a response that waits.
    pub(super) fn reviewers<'g>(&self, compiled: &'g CompiledPolicy) -> &'g [String] {
        let plan = self
            .plan
            .mask
            .and_then(|plan| compiled.policy.masks.get(plan));
        plan.map_or(&[], |plan| &plan.gate.reviewers)
    }

    /// Writes what was found into the record. What follows is not looked at.
    pub(super) fn note(&self, context: &mut Context) {
        let compiled = Rc::clone(&context.compiled);
        let response = &mut context.record.response;
        if let (Some(masks), Some(pipeline)) = (self.masks(&compiled), &self.pipeline) {
            response.matches = pipeline.pass().matches(masks);
            response.alerts = pipeline.pass().alerts(masks);
            response.restored = pipeline.pass().restored();
        }
        self.fields.count(response);
    }
}
