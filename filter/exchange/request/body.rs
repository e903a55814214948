//! A request whose body is awaited.

use std::borrow::Cow;

use super::judge::judge;
use super::state::{ExpectBody, RequestState, Step, give_back};
use crate::exchange::asked::Asked;
use crate::exchange::buffers::Share;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::media::RequestForm;
use crate::exchange::reply::Refusal;
use crate::exchange::seen::Seen;
use crate::exchange::taps::{over, undo};
use crate::exchange::world::World;

/// The body is there.
pub(super) fn whole(
    state: ExpectBody,
    whole: &[u8],
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let mut asked = state.asked;
    let limit = context.compiled.policy.limits.request_body;
    context.record.request.bytes = u64::try_from(whole.len()).ok();
    context.record.note_asked(whole, true);
    let decoded = if over(whole.len(), limit) {
        Err(Refusal::too_large(limit))
    } else {
        decoded(&asked, whole, &context.compiled)
    };
    let taken = decoded.and_then(|(body, room)| {
        state.taps.look(&mut asked, &body, context)?;
        Ok((body, room))
    });
    match taken {
        Ok((body, _room)) => {
            let form = context.keeping.is_on().then(|| asked.form.clone());
            let step = judge(asked, Seen::Here(&body), context, world);
            if let Some(form) = form {
                keep(&form, &step, (whole, &body), context);
            }
            step
        }
        Err(refusal) => {
            give_back(&mut asked, context, world);
            Step::refuse(refusal, context, world)
        }
    }
}

/// Keeps the body for the record: as it goes on, or as it came where it doesn't.
fn keep(form: &RequestForm, step: &Step, (came, decoded): (&[u8], &[u8]), context: &mut Context) {
    let changed = step.outcome.effects.iter().find_map(|effect| match effect {
        Effect::ReplaceRequestBody(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    let after = context.since_began();
    let (sent, decoded) = match changed {
        Some(bytes) => (bytes, bytes),
        None => (came, decoded),
    };
    context.keeping.request(form, sent, decoded, after);
}

/// The body without its coding, and the room that it takes.
fn decoded<'b>(
    asked: &Asked,
    body: &'b [u8],
    compiled: &CompiledPolicy,
) -> Result<(Cow<'b, [u8]>, Option<Share>), Refusal> {
    match asked.form.coding()? {
        Some(coding) if !body.is_empty() => {
            let (decoded, room) = undo(coding, body, compiled)?;
            Ok((Cow::Owned(decoded), Some(room)))
        }
        _ => Ok((Cow::Borrowed(body), None)),
    }
}

/// More of a body has come than before; it is not whole yet.
pub(super) fn grows(
    state: RequestState,
    bytes: usize,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let limit = context.compiled.policy.limits.request_body;
    if over(bytes, limit) {
        return state.refuse(Refusal::too_large(limit), context, world);
    }
    Step::hold(state, Vec::new())
}
