//! A response that waits, whole, for a person's decision on what was found in it.
//!
//! Nothing of it leaves before that, not even its head. The person sees what was asked for, by whom,
//! which detectors found something, and the beginning of the answer with that hidden. Once it is approved,
//! and the approval is claimed, what was found goes on as it is and everything else is masked as usual. An
//! approval is bound to this very answer: if the same request is answered differently, it needs
//! another one. So the answer is kept, sealed, at the service that is asked, if the policy says so: as soon
//! as that has given it an id, since the client may leave at any moment, or this Envoy end.

use std::rc::Rc;

use super::state::{ExpectDecision, ResponseState, Step};
use super::tapped::Tapped;
use crate::approval::{Decision, State, Why};
use crate::call::Answer;
use crate::exchange::approvals::{
    Claimed, Claiming, Gate, OPEN, Sealed, Sealing, Stop, enter, shown_answer,
};
use crate::exchange::asked::BodyDigest;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::reply::Refusal;
use crate::exchange::world::World;

/// Asks a person about a response with this body, in which these detectors found something.
pub(super) fn ask(
    tapped: Box<Tapped>,
    body: Vec<u8>,
    found: &[String],
    context: &mut Context,
    world: World<'_>,
) -> Step {
    match begin(&tapped, &body, found, context, world) {
        Ok((claiming, ask, sealed)) => {
            context.note_sent(&body);
            let state = ExpectDecision {
                tapped,
                claiming,
                sealed,
            };
            Step::hold(
                ResponseState::ExpectDecision(Box::new(state)),
                vec![Effect::ReplaceResponseBody(body), ask],
            )
        }
        Err(refusal) => refuse(&tapped, refusal, context),
    }
}

fn begin(
    tapped: &Tapped,
    body: &[u8],
    found: &[String],
    context: &mut Context,
    world: World<'_>,
) -> Result<(Claiming, Effect, Option<Sealed>), Refusal> {
    let compiled = Rc::clone(&context.compiled);
    let name = context.record.verdict.rule.as_deref();
    let mut rules = compiled.policy.rules.iter();
    let rule = rules.find(|rule| Some(rule.name.as_str()) == name);
    let form = tapped.held.as_ref().map(|(_, form)| form);
    let shown = form.and_then(|form| shown_answer(body, form, &compiled));
    let keeping = Sealing::of(tapped.asked(), body, context);
    let stop = Stop {
        rule: rule.ok_or_else(|| Refusal::denied(None))?,
        reviewers: tapped.wanted().reviewers(&compiled),
        terms: None,
        found,
        answer: Some(&BodyDigest::of(body)),
        shown: shown.as_ref(),
        open: keeping
            .as_ref()
            .map_or(OPEN, |keeping| keeping.keep.min(OPEN)),
    };
    let gate = Gate::new(&stop, tapped.asked(), context, world)?;
    let place = enter(&gate, tapped.asked(), context)?;
    let expires = tapped.asked().identity.expires;
    let media = tapped.held.as_ref().map(|(media, _)| media.as_str());
    let sealed = keeping.and_then(|keeping| keeping.seal(&gate, media?, context));
    let (claiming, ask) = Claiming::ask(gate, expires, place, context);
    Ok((claiming, ask, sealed))
}

fn refuse(tapped: &Tapped, refusal: Refusal, context: &mut Context) -> Step {
    tapped.note(context);
    context.nothing_sent();
    Step::refuse_body(refusal, context)
}

/// Takes what came of the question.
pub(super) fn decided(
    state: ExpectDecision,
    decision: &Decision,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let mut sealed = state.sealed;
    let put = match decision {
        Decision::Answer(answer) if answer.state == State::Pending => {
            let sealed = sealed.take();
            sealed.and_then(|sealed| sealed.put(answer, context, world))
        }
        _ => None,
    };
    let claimed = state.claiming.decided(decision, context, world);
    let mut step = claimed_to(claimed, (state.tapped, sealed), context, world);
    step.outcome.effects.extend(put);
    step
}

/// Takes what came of the claim.
pub(super) fn answered(
    state: ExpectDecision,
    answer: Answer<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let claimed = state.claiming.answered(answer, context, world);
    claimed_to(claimed, (state.tapped, state.sealed), context, world)
}

/// A claim that could not be sent may be now.
pub(super) fn tick(state: ExpectDecision, context: &mut Context, world: World<'_>) -> Step {
    let claimed = state.claiming.tick(context, world);
    claimed_to(claimed, (state.tapped, state.sealed), context, world)
}

fn claimed_to(
    claimed: Claimed,
    (tapped, sealed): (Box<Tapped>, Option<Sealed>),
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    let blocked = compiled.check_blocks(&tapped.asked().identity, world.now);
    match (claimed, blocked) {
        (Claimed::All, Err(refusal)) => {
            let effects = context.give_back(Why::Unanswered);
            let mut step = refuse(&tapped, refusal, context);
            step.outcome.effects.extend(effects);
            step
        }
        (Claimed::All, Ok(())) => {
            context.claims.settle();
            context.note_goes();
            Step::go_on(ResponseState::Flowing(tapped), Vec::new())
        }
        (Claimed::Open(claiming, effects), _) => {
            let state = ExpectDecision {
                tapped,
                claiming: *claiming,
                sealed,
            };
            Step::hold(ResponseState::ExpectDecision(Box::new(state)), effects)
        }
        (Claimed::Refused(refusal, effects), _) => {
            let mut step = refuse(&tapped, refusal, context);
            step.outcome.effects.extend(effects);
            step
        }
    }
}
