//! A request whose body is awaited.

use std::borrow::Cow;

use super::judge::judge;
use super::state::{ExpectBody, RequestState, Step};
use crate::exchange::asked::{Asked, BodyDigest, Kept};
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
    asked.sent = context.record.request.bytes;
    context.record.note_asked(whole, true);
    if over(whole.len(), limit) {
        return Step::refuse(Refusal::too_large(limit), context, world);
    }
    let form = context.keeping.is_on().then(|| asked.form.clone());
    // Nothing of it but its record depends on a body that is only kept.
    let only_kept = state.taps.are_closed();
    let decoded = decoded(&asked, whole, &context.compiled);
    let taken = match decoded {
        Err(_) if only_kept => Ok(None),
        Err(refusal) => Err(refusal),
        Ok((body, room)) => state
            .taps
            .look(&mut asked, &body, context)
            .map(|()| Some((body, room))),
    };
    let taken = match taken {
        Ok(taken) => taken,
        Err(refusal) => return Step::refuse(refusal, context, world),
    };
    let body = taken.as_ref().map(|(body, _)| &**body);
    if asked.kept == Kept::Reads {
        asked.body = body.map(BodyDigest::of);
    }
    let seen = match body {
        Some(body) if !only_kept => Seen::Here(body),
        _ => Seen::Gone,
    };
    let step = judge(asked, seen, context, world);
    if let Some(form) = form {
        keep(&form, &step, (whole, body), context);
    }
    step
}

/// Keeps the body for the record: as it goes on, or as it came where it doesn't.
fn keep(
    form: &RequestForm,
    step: &Step,
    (came, decoded): (&[u8], Option<&[u8]>),
    context: &mut Context,
) {
    let changed = step.outcome.effects.iter().find_map(|effect| match effect {
        Effect::ReplaceRequestBody(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    let after = context.since_began();
    let (sent, decoded) = match changed {
        Some(bytes) => (bytes, Some(bytes)),
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
