//! A request that may go, and takes what people have approved.

use std::rc::Rc;

use super::charge::charge;
use super::state::{ExpectClaims, RequestState, Step};
use crate::approval::{Decision, Why};
use crate::call::Answer;
use crate::exchange::approvals::{Claimed, Claiming};
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::reply::Refusal;
use crate::exchange::response::ResponsePlan;
use crate::exchange::standing::still_granted;
use crate::exchange::world::World;

/// A request may go, with these changes, once the approvals of all its gates are claimed.
pub(super) fn claim(
    mut plan: Box<ResponsePlan>,
    effects: Vec<Effect>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let gates = core::mem::take(&mut plan.asked.gates);
    if gates.is_empty() {
        return go(plan, effects, context, world);
    }
    let place = plan.asked.place.take();
    let expires = Some(plan.asked.identity.expires);
    let claimed = Claiming::begin(gates, expires, place, context, world);
    let mut step = claimed_to(claimed, plan, context, world);
    step.outcome.effects.splice(0..0, effects);
    step
}

/// Takes what came of a claim.
pub(super) fn answered(
    state: ExpectClaims,
    answer: Answer<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let claimed = state.claiming.answered(answer, context, world);
    claimed_to(claimed, state.plan, context, world)
}

/// A claim that could not be sent may be now.
pub(super) fn tick(state: ExpectClaims, context: &mut Context, world: World<'_>) -> Step {
    let claimed = state.claiming.tick(context, world);
    claimed_to(claimed, state.plan, context, world)
}

/// Takes what came of a question that was asked once more.
pub(super) fn decided(
    state: ExpectClaims,
    decision: &Decision,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let claimed = state.claiming.decided(decision, context, world);
    claimed_to(claimed, state.plan, context, world)
}

fn claimed_to(
    claimed: Claimed,
    plan: Box<ResponsePlan>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    match claimed {
        Claimed::All => match may_go(&plan, context, world) {
            Ok(()) => go(plan, Vec::new(), context, world),
            Err(refusal) => {
                let effects = context.give_back(Why::Unanswered);
                refuse(refusal, effects, context, world)
            }
        },
        Claimed::Open(claiming, effects) => {
            let state = ExpectClaims {
                plan,
                claiming: *claiming,
            };
            Step::hold(RequestState::ExpectClaims(Box::new(state)), effects)
        }
        Claimed::Refused(refusal, effects) => refuse(refusal, effects, context, world),
    }
}

/// Whether nobody has been blocked, and no grant has ended, while the approvals were claimed.
fn may_go(plan: &ResponsePlan, context: &mut Context, world: World<'_>) -> Result<(), Refusal> {
    let compiled = Rc::clone(&context.compiled);
    compiled.check_blocks(&plan.asked.identity, world.now)?;
    match still_granted(&plan.asked, &compiled, world.now) {
        true => Ok(()),
        false => Err(Refusal::grant_over()),
    }
}

fn refuse(refusal: Refusal, effects: Vec<Effect>, context: &mut Context, world: World<'_>) -> Step {
    let mut step = Step::refuse(refusal, context, world);
    step.outcome.effects.splice(0..0, effects);
    step
}

/// Nothing but its quotas can refuse it now.
fn go(
    plan: Box<ResponsePlan>,
    effects: Vec<Effect>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    match charge(&plan.asked, false, context, world) {
        Ok(charges) => context.take_charges(charges),
        Err(refusal) => {
            let effects = context.give_back(Why::Unanswered);
            return refuse(refusal, effects, context, world);
        }
    }
    context.claims.go();
    context.record.verdict.action = "allow";
    context.record.timing.verdict = Some(context.elapsed(world));
    Step::pass(plan, effects)
}
