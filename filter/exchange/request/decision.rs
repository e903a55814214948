//! A request that waits for a person's decision.

use super::judge::judge;
use super::state::{ExpectDecision, RequestState, Step, give_back};
use crate::call::Answer;
use crate::exchange::approval_step::Answered;
use crate::exchange::context::Context;
use crate::exchange::seen::Seen;
use crate::exchange::world::World;

/// Takes what the desk says.
pub(super) fn answered(
    state: ExpectDecision,
    answer: Answer<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let mut asked = state.asked;
    match state.approval.answered(answer, context, world) {
        Answered::Approved => judge(asked, Seen::Gone, context, world),
        Answered::Open(approval, call) => {
            let state = ExpectDecision { asked, approval };
            Step::hold(RequestState::ExpectDecision(Box::new(state)), vec![call])
        }
        Answered::Refused(refusal) => {
            give_back(&mut asked, context, world);
            Step::refuse(refusal, context, world)
        }
    }
}
