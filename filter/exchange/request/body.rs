//! A request whose body is awaited.

use super::facts;
use super::judge::judge;
use super::state::{ExpectBody, Purpose, RequestState, Step, give_back};
use crate::exchange::context::Context;
use crate::exchange::masked_request::over;
use crate::exchange::reply::Refusal;
use crate::exchange::seen::Seen;
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
    let taken = match state.purpose {
        _ if over(body.len(), limit) => Err(Refusal::too_large(limit)),
        Purpose::Decision => facts::take(&mut asked, body, context),
        Purpose::Mask => {
            context.record.request.bytes = u64::try_from(body.len()).ok();
            Ok(())
        }
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
