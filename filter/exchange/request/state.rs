//! How far a request is, and what a step makes of it.

use core::time::Duration;

use crate::exchange::approvals::{ApprovalStep, Claiming, Finding};
use crate::exchange::asked::Asked;
use crate::exchange::buffers::Share;
use crate::exchange::context::Context;
use crate::exchange::effect::{Effect, Flow, Outcome};
use crate::exchange::reply::Refusal;
use crate::exchange::response::ResponsePlan;
use crate::exchange::taps::RequestTaps;
use crate::exchange::world::World;

/// How far a request is.
#[derive(Debug)]
pub(in crate::exchange) enum RequestState {
    /// Nothing has come.
    ExpectHead,
    /// The caller's token waits for keys.
    ExpectKeys(Box<ExpectKeys>),
    /// The decision, or a mask, waits for the body.
    ExpectBody(Box<ExpectBody>),
    /// Messages come one after the other, and each is decided on.
    ExpectMessages(Box<ExpectMessages>),
    /// The decision waits for a person.
    ExpectDecision(Box<ExpectDecision>),
    /// It may go on once the approvals are claimed.
    ExpectClaims(Box<ExpectClaims>),
    /// An answer to it may be kept.
    ExpectKept(Box<ExpectKept>),
    /// It went on.
    Passed,
    /// It got an answer that was kept.
    Answered,
    /// The filter answered it.
    Refused,
    /// The exchange is over.
    Closed,
}

/// What an event comes to.
pub(in crate::exchange) struct Step {
    pub(in crate::exchange) state: RequestState,
    pub(in crate::exchange) outcome: Outcome,
    /// What becomes of the response, if the request goes on with this event.
    pub(in crate::exchange) passed: Option<Box<ResponsePlan>>,
}

impl Step {
    pub(super) fn hold(state: RequestState, effects: Vec<Effect>) -> Self {
        Self {
            state,
            outcome: Outcome {
                effects,
                flow: Flow::Hold,
            },
            passed: None,
        }
    }

    pub(super) fn refuse(refusal: Refusal, context: &mut Context, world: World<'_>) -> Self {
        Self {
            state: RequestState::Refused,
            outcome: context.refuse_request(refusal, world),
            passed: None,
        }
    }

    pub(super) fn pass(plan: Box<ResponsePlan>, effects: Vec<Effect>) -> Self {
        Self {
            state: RequestState::Passed,
            outcome: Outcome {
                effects,
                flow: Flow::Continue,
            },
            passed: Some(plan),
        }
    }
}

/// The head of a request whose caller can't be verified until keys have come.
#[derive(Debug)]
pub(in crate::exchange) struct ExpectKeys {
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) end: bool,
    pub(super) cluster: Option<String>,
    /// When it has waited for long enough, since 1970.
    pub(super) until: Duration,
    /// For the headers.
    pub(super) _share: Share,
}

/// A request whose body is awaited.
#[derive(Debug)]
pub(in crate::exchange) struct ExpectBody {
    pub(super) asked: Box<Asked>,
    /// What wants it.
    pub(super) taps: RequestTaps,
}

/// A stream of messages.
#[derive(Debug)]
pub(in crate::exchange) struct ExpectMessages {
    pub(super) asked: Box<Asked>,
    /// The rule that let the first message go.
    pub(super) rule: Option<usize>,
    /// What has come of a message that isn't whole.
    pub(super) rest: Vec<u8>,
    /// For that.
    pub(super) share: Share,
}

/// A request that people have approved.
#[derive(Debug)]
pub(in crate::exchange) struct ExpectClaims {
    pub(super) plan: Box<ResponsePlan>,
    pub(super) claiming: Claiming,
}

/// A request that a person is asked about.
#[derive(Debug)]
pub(in crate::exchange) struct ExpectDecision {
    pub(super) asked: Box<Asked>,
    pub(super) approval: ApprovalStep,
}

/// A request to which an answer may be kept.
#[derive(Debug)]
pub(in crate::exchange) struct ExpectKept {
    pub(super) asked: Box<Asked>,
    pub(super) finding: Box<Finding>,
}

impl RequestState {
    /// Whether an answer that was kept has been given to it.
    pub(in crate::exchange) fn is_answered(&self) -> bool {
        matches!(self, Self::Answered)
    }

    /// Until when it waits for keys, or to send a claim again, since 1970.
    pub(in crate::exchange) fn due(&self) -> Option<Duration> {
        match self {
            Self::ExpectKeys(state) => Some(state.until),
            Self::ExpectClaims(state) => state.claiming.due(),
            _ => None,
        }
    }

    /// Whether some of it has gone on.
    pub(in crate::exchange) fn has_passed(&self) -> bool {
        match self {
            Self::Passed => true,
            Self::ExpectMessages(state) => state.rule.is_some(),
            _ => false,
        }
    }

    /// Whether each piece of the body is wanted as it comes.
    pub(in crate::exchange) fn wants_messages(&self) -> bool {
        matches!(self, Self::ExpectMessages(_))
    }

    /// Whether the body is wanted once it is whole.
    pub(in crate::exchange) fn wants_body(&self) -> bool {
        matches!(self, Self::ExpectBody(_))
    }

    /// Ends a request that has not passed.
    pub(super) fn refuse(self, refusal: Refusal, context: &mut Context, world: World<'_>) -> Step {
        Step::refuse(refusal, context, world)
    }
}
