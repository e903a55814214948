//! A request whose body is awaited.

use super::judge::judge;
use super::state::{ExpectBody, RequestState, Step, give_back};
use crate::exchange::context::Context;
use crate::exchange::reply::Refusal;
use crate::exchange::seen::Seen;
use crate::exchange::taps::over;
use crate::exchange::world::World;

/// The body is there.
pub(super) fn whole(
    state: ExpectBody,
    body: &[u8],
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let mut asked = state.asked;
    let limit = context.compiled.policy.limits.request_body;
    let taken = if over(body.len(), limit) {
        Err(Refusal::too_large(limit))
    } else {
        state.taps.look(&mut asked, body, context)
    };
    match taken {
        Ok(()) => judge(asked, Seen::Here(body), context, world),
        Err(refusal) => {
            give_back(&mut asked, context, world);
            Step::refuse(refusal, context, world)
        }
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
