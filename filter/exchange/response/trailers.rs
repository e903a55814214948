//! A response's trailers, behind its body.

use base::code::Code;
use std::rc::Rc;

use super::body;
use super::state::{ResponseState, Step};
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::event::Headers;
use crate::exchange::world::World;

/// Masks trailers, and ends the body in front of them.
pub(super) fn take(
    mut state: ResponseState,
    trailers: &Headers<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    let (tapped, waits) = match &mut state {
        ResponseState::Flowing(tapped) => (tapped, false),
        ResponseState::HeadWaits(tapped)
        | ResponseState::Begun(tapped)
        | ResponseState::Keeping(tapped, _) => (tapped, true),
        // They are of an answer that did not come to its end.
        ResponseState::Told(_) => {
            let names = trailers.iter().map(|(name, _)| *name);
            let names = names.filter_map(|name| core::str::from_utf8(name).ok());
            let gone = names.map(|name| Effect::RemoveResponseTrailer(name.to_owned()));
            let mut gone: Vec<Effect> = gone.collect();
            gone.dedup();
            return Step::go_on(state, gone);
        }
        _ => return Step::go_on(state, Vec::new()),
    };
    let Some(masks) = tapped.wanted().masks(&compiled) else {
        if waits {
            return body::take_back(tapped, Code::MaskUnavailable, context);
        }
        tapped.note(context);
        return Step {
            state: ResponseState::Cut,
            outcome: context.cut_response(Code::MaskUnavailable),
        };
    };
    let wanted = tapped.wanted().clone();
    let mut effects = tapped.fields.trailers(masks, &wanted, trailers);
    if let Some(own) = &compiled.own_secrets {
        tapped.secrets += own.trailers(trailers, &mut effects);
    }
    context.record.response.masked |= tapped.fields.seen && !masks.only_count();
    if tapped.fields.cut {
        if waits {
            return body::take_back(tapped, Code::MatchWithheld, context);
        }
        context.record.response.code = Some(Code::MatchWithheld);
    }
    // What is said there may come too late to be written.
    tapped.ends = true;
    let mut step = body::take(state, b"", true, context, world);
    effects.append(&mut step.outcome.effects);
    step.outcome.effects = effects;
    step
}
