//! A request, from its head to the verdict, as states that a step consumes.
//!
//! A request leaves only by [`Step::passed`]; every other way out of a step keeps it held, or ends
//! it with an answer of the filter's own.

mod body;
mod charge;
mod claims;
mod decision;
mod edits;
mod found;
mod head;
mod judge;
mod kept;
mod keys;
mod messages;
mod state;

pub(super) use edits::trailer_edits;
pub use edits::unwritable;
pub(super) use state::RequestState;

use super::context::Context;
use super::effect::Outcome;
use super::event::Event;
use super::reply::Refusal;
use super::world::World;
pub(super) use state::Step;

/// Takes an event of the request, or one from outside.
pub(super) fn step(
    state: RequestState,
    event: Event<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    match (state, event) {
        (
            RequestState::ExpectHead,
            Event::RequestHead {
                headers,
                end,
                cluster,
            },
        ) => {
            let head = head::Head {
                headers,
                end,
                cluster,
            };
            head::take(head, context, world)
        }
        (RequestState::ExpectKeys(state), Event::KeysRenewed) => {
            keys::retry(*state, context, world)
        }
        (
            state @ (RequestState::ExpectKeys(_) | RequestState::ExpectBody(_)),
            Event::RequestPiece { held, .. },
        ) => body::grows(state, held, context, world),
        (RequestState::ExpectMessages(state), Event::RequestBytes { bytes, end }) => {
            messages::bytes(*state, bytes, end, context, world)
        }
        (RequestState::ExpectMessages(state), Event::RequestTrailers { .. }) => {
            messages::ended(*state, context, world)
        }
        (RequestState::ExpectBody(state), Event::RequestWhole { body }) => {
            body::whole(*state, body, context, world)
        }
        (
            RequestState::ExpectDecision(state),
            Event::Decided {
                number, decision, ..
            },
        ) if state.approval.awaits(number) => decision::decided(*state, decision, context, world),
        (
            RequestState::ExpectClaims(state),
            Event::Decided {
                number, decision, ..
            },
        ) if state.claiming.awaits(number) => claims::decided(*state, decision, context, world),
        (RequestState::ExpectClaims(state), Event::CallAnswered { number, answer, .. })
            if state.claiming.awaits(number) =>
        {
            claims::answered(*state, answer, context, world)
        }
        (RequestState::ExpectClaims(state), Event::Tick) => claims::tick(*state, context, world),
        (
            RequestState::ExpectKept(state),
            Event::Decided {
                number, decision, ..
            },
        ) if state.finding.awaits(number) => found::decided(*state, decision, context, world),
        (RequestState::ExpectKept(state), Event::CallAnswered { number, answer, .. })
            if state.finding.awaits(number) =>
        {
            found::answered(*state, answer, context, world)
        }
        // No host should bring a second head, or a body in front of one.
        (state, Event::RequestHead { .. }) => state.refuse(Refusal::out_of_order(), context, world),
        (
            state @ RequestState::ExpectHead,
            Event::RequestPiece { .. } | Event::RequestWhole { .. },
        ) => state.refuse(Refusal::out_of_order(), context, world),
        (RequestState::Passed, Event::RequestPiece { .. } | Event::RequestWhole { .. }) => Step {
            state: RequestState::Passed,
            outcome: Outcome::go_on(),
            passed: None,
        },
        // What waits goes on waiting, and behind a refusal nothing goes.
        (state, _) => Step::hold(state, Vec::new()),
    }
}

/// The body that is waited for will not come.
pub(super) fn withheld(state: RequestState, context: &mut Context, world: World<'_>) -> Step {
    if state.wants_body() || (state.wants_messages() && !state.has_passed()) {
        state.refuse(Refusal::no_bodies(), context, world)
    } else {
        Step::hold(state, Vec::new())
    }
}
