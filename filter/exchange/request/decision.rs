//! A request that waits for a person's decision.

use super::judge::judge;
use super::state::{ExpectDecision, RequestState, Step};
use crate::approval::Decision;
use crate::exchange::approvals::Decided;
use crate::exchange::context::Context;
use crate::exchange::seen::Seen;
use crate::exchange::world::World;

/// Takes what came of a question: the rules behind an open gate are tried.
pub(super) fn decided(
    state: ExpectDecision,
    decision: &Decision,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let mut asked = state.asked;
    match state.approval.decided(decision, context, world) {
        Decided::Approved(gate) => {
            asked.gates.push(gate);
            judge(asked, Seen::Gone, context, world)
        }
        Decided::Open(approval) => {
            let state = ExpectDecision { asked, approval };
            Step::hold(RequestState::ExpectDecision(Box::new(state)), Vec::new())
        }
        Decided::Refused(refusal) => Step::refuse(refusal, context, world),
    }
}
