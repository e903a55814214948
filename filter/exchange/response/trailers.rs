//! A response's trailers, behind its body.

use std::rc::Rc;

use super::body;
use super::state::{ResponseState, Step};
use crate::exchange::context::Context;
use crate::exchange::event::Headers;
use crate::exchange::reply::WITHHELD;
use crate::exchange::world::World;

/// Masks trailers, and ends the body in front of them.
pub(super) fn take(
    mut state: ResponseState,
    trailers: &Headers<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    let (masking, waits) = match &mut state {
        ResponseState::Flowing(masking) => (masking, false),
        ResponseState::HeadWaits(masking) | ResponseState::Keeping(masking, _) => (masking, true),
        _ => return Step::go_on(state, Vec::new()),
    };
    let Some(masks) = masking.masks(&compiled) else {
        masking.note(context);
        return Step {
            state: ResponseState::Cut,
            outcome: context.cut_response("mask_unavailable"),
        };
    };
    let originals = masking.plan().originals.clone();
    let mut effects = masking.fields.trailers(masks, originals.as_ref(), trailers);
    context.record.response.masked |= masking.fields.seen && !masks.only_count();
    if masking.fields.cut {
        if waits {
            return body::withhold(masking, WITHHELD, context);
        }
        context.record.response.code = Some(WITHHELD);
    }
    let mut step = body::take(state, b"", true, context, world);
    effects.append(&mut step.outcome.effects);
    step.outcome.effects = effects;
    step
}
