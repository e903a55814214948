//! A response, from its head to its end, as states that a step consumes.
//!
//! Refused, told, cut and ended are four things: of a refused response nothing has gone, the client of
//! a told one has found an error in its stream, of a cut one the head has gone and its end never will,
//! and one that ended went whole.

mod body;
mod decision;
mod head;
mod plan;
mod state;
mod tapped;
mod trailers;

pub(super) use plan::ResponsePlan;
pub(super) use state::ResponseState;

use super::context::Context;
use super::event::Event;
use super::headers::single;
use super::reply::Refusal;
use super::world::World;
pub(super) use state::Step;

/// Takes an event of the response, or one from outside.
pub(super) fn step(
    state: ResponseState,
    event: Event<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    if let Event::ResponseHead { headers, .. } = event {
        let status = single(headers, ":status").and_then(|text| text.parse::<u16>().ok());
        context.record.response.status = status;
        context.record.timing.response = Some(context.elapsed(world));
    }
    if let Event::ResponseHead { cluster, .. } = event
        && let (Some(cluster), Some(destination)) = (cluster, &context.destination)
    {
        let compiled = &context.compiled;
        let from = destination.check(&compiled.policy.upstream, &compiled.misled, cluster);
        if let Err(refusal) = from {
            return Step::refuse_head(refusal, context);
        }
    }
    match (state, event) {
        (ResponseState::ExpectHead(plan), Event::ResponseHead { headers, end, .. }) => {
            head::take(*plan, headers, end, context, world)
        }
        (
            state @ (ResponseState::HeadWaits(_)
            | ResponseState::Begun(_)
            | ResponseState::Flowing(_)
            | ResponseState::Keeping(..)),
            Event::ResponseBody { piece, end },
        ) => body::take(state, piece, end, context, world),
        (
            state @ (ResponseState::HeadWaits(_)
            | ResponseState::Begun(_)
            | ResponseState::Flowing(_)
            | ResponseState::Told(_)
            | ResponseState::Keeping(..)),
            Event::ResponseTrailers { trailers },
        ) => trailers::take(state, trailers, context, world),
        (ResponseState::Told(told), Event::ResponseBody { piece, .. }) => {
            body::drop_told(told, piece, context)
        }
        (ResponseState::ExpectDecision(state), Event::CallAnswered { number, answer, .. })
            if state.claiming.awaits(number) =>
        {
            decision::answered(*state, answer, context, world)
        }
        (
            ResponseState::ExpectDecision(state),
            Event::Decided {
                number, decision, ..
            },
        ) if state.claiming.awaits(number) => decision::decided(*state, decision, context, world),
        (ResponseState::ExpectDecision(state), Event::Tick) => {
            decision::tick(*state, context, world)
        }
        (
            state
            @ (ResponseState::Refused | ResponseState::Cut | ResponseState::ExpectDecision(_)),
            Event::ResponseBody { .. } | Event::ResponseTrailers { .. },
        ) => Step::drop_rest(state, event),
        (
            state,
            Event::ResponseHead { .. }
            | Event::ResponseBody { .. }
            | Event::ResponseTrailers { .. },
        ) => Step::go_on(state, Vec::new()),
        (state, _) => Step::hold(state, Vec::new()),
    }
}

/// The body that is waited for will not come.
pub(super) fn withheld(state: ResponseState, context: &mut Context, _: World<'_>) -> Step {
    match state {
        ResponseState::HeadWaits(tapped) | ResponseState::Keeping(tapped, _) => {
            tapped.note(context);
            context.keeping.nothing_sent();
            Step::refuse_head(Refusal::no_bodies(), context)
        }
        state => Step::hold(state, Vec::new()),
    }
}
