//! How far a response is, and what a step makes of it.

use core::time::Duration;

use super::plan::ResponsePlan;
use super::tapped::Tapped;
use crate::exchange::approvals::{Claiming, Sealed};
use crate::exchange::buffers::Share;
use crate::exchange::context::Context;
use crate::exchange::effect::{Effect, Flow, Outcome};
use crate::exchange::event::Event;
use crate::exchange::reply::Refusal;
use base::code::Code;

/// How far a response is.
#[derive(Debug)]
pub(in crate::exchange) enum ResponseState {
    /// The request has not gone on: what comes is the filter's own reply.
    ExpectRequest,
    /// The request went on, and nothing has come back.
    ExpectHead(Box<ResponsePlan>),
    /// It goes as it comes, unseen.
    Unseen,
    /// The head waits until something of the body is through its taps, and what the head says of it
    /// is known to be right.
    HeadWaits(Box<Tapped>),
    /// The head waits for the next tick with the first of the body. Until then, an answer of the
    /// filter's own can still take their place.
    Begun(Box<Tapped>),
    /// It goes as it comes, through its taps.
    Flowing(Box<Tapped>),
    /// All of it waits for its end.
    Keeping(Box<Tapped>, Kept),
    /// All of it waits for a person.
    ExpectDecision(Box<ExpectDecision>),
    /// An answer of the filter's own took its place.
    Refused,
    /// An error of the filter's own ended its stream: what comes behind that is dropped.
    Told(Told),
    /// It was broken off behind its head.
    Cut,
    /// The exchange is over.
    Closed,
}

/// A response of which nothing has gone, as it will go.
#[derive(Debug)]
pub(in crate::exchange) struct Kept {
    pub(super) body: Vec<u8>,
    /// For the body's place.
    pub(super) share: Share,
    /// The most bytes that are kept.
    pub(super) most: usize,
}

/// A response whose client has been told of an error in its stream.
#[derive(Clone, Copy, Debug)]
pub(in crate::exchange) struct Told {
    /// What it was told.
    pub(super) code: Code,
    /// How many bytes have been dropped since.
    pub(super) dropped: usize,
}

/// A response that a person is asked about. Its body lies in the host's buffer.
#[derive(Debug)]
pub(in crate::exchange) struct ExpectDecision {
    pub(super) tapped: Box<Tapped>,
    pub(super) claiming: Claiming,
    /// What is kept of it at the service, once that has said by which id.
    pub(super) sealed: Option<Sealed>,
}

/// What an event comes to.
pub(in crate::exchange) struct Step {
    pub(in crate::exchange) state: ResponseState,
    pub(in crate::exchange) outcome: Outcome,
}

impl Step {
    pub(super) fn new(state: ResponseState, effects: Vec<Effect>, flow: Flow) -> Self {
        Self {
            state,
            outcome: Outcome { effects, flow },
        }
    }

    pub(super) fn go_on(state: ResponseState, effects: Vec<Effect>) -> Self {
        Self::new(state, effects, Flow::Continue)
    }

    pub(super) fn hold(state: ResponseState, effects: Vec<Effect>) -> Self {
        Self::new(state, effects, Flow::Hold)
    }

    /// The head came just now: an answer takes its place.
    pub(super) fn refuse_head(refusal: Refusal, context: &mut Context) -> Self {
        Self {
            state: ResponseState::Refused,
            outcome: context.refuse_response(refusal, false),
        }
    }

    /// The head and some of the body came, and wait: an answer takes their place.
    pub(super) fn refuse_body(refusal: Refusal, context: &mut Context) -> Self {
        Self {
            state: ResponseState::Refused,
            outcome: context.refuse_response(refusal, true),
        }
    }

    /// Nothing of what comes behind a refusal or a cut goes on.
    pub(super) fn drop_rest(state: ResponseState, event: Event<'_>) -> Self {
        match event {
            Event::ResponseBody { .. } => {
                Self::hold(state, vec![Effect::ReplaceResponseBody(Vec::new())])
            }
            Event::ResponseTrailers { .. } => Self::hold(state, Vec::new()),
            _ => Self::hold(state, Vec::new()),
        }
    }
}

impl ResponseState {
    /// Whether the whole response is held, so that no part of it may go on, not even with a tick.
    pub(in crate::exchange) fn is_held(&self) -> bool {
        matches!(
            self,
            Self::HeadWaits(_) | Self::Keeping(..) | Self::ExpectDecision(_)
        )
    }

    /// When a claim is to be sent again, since 1970.
    pub(in crate::exchange) fn due(&self) -> Option<Duration> {
        match self {
            Self::ExpectDecision(state) => state.claiming.due(),
            _ => None,
        }
    }

    /// Whether what comes now is the model server's.
    pub(in crate::exchange) fn is_from_server(&self) -> bool {
        !matches!(self, Self::ExpectRequest | Self::Refused | Self::Closed)
    }

    /// A tick has let go what was held.
    pub(in crate::exchange) fn let_go(&mut self) {
        *self = match core::mem::replace(self, Self::Closed) {
            Self::Begun(tapped) => Self::Flowing(tapped),
            state => state,
        };
    }

    /// Whether all headers are looked at.
    pub(in crate::exchange) fn wants_head(&self) -> bool {
        matches!(self, Self::ExpectHead(plan) if !plan.wanted.is_nothing())
    }

    /// Whether the body has to be handed over.
    pub(in crate::exchange) fn wants_body(&self) -> bool {
        match self {
            Self::HeadWaits(tapped) | Self::Begun(tapped) | Self::Flowing(tapped) => {
                tapped.has_body()
            }
            Self::Keeping(..)
            | Self::ExpectDecision(_)
            | Self::Refused
            | Self::Told(_)
            | Self::Cut => true,
            Self::ExpectRequest | Self::ExpectHead(_) | Self::Unseen | Self::Closed => false,
        }
    }

    /// Whether trailers have to be handed over.
    pub(in crate::exchange) fn wants_trailers(&self) -> bool {
        !matches!(self, Self::ExpectRequest | Self::Unseen | Self::Closed)
    }

    /// Writes what was found until now into the record.
    pub(in crate::exchange) fn note(&self, context: &mut Context) {
        match self {
            Self::HeadWaits(tapped) | Self::Flowing(tapped) | Self::Keeping(tapped, _) => {
                tapped.note(context);
            }
            // What lies in the host's buffer has not gone, and won't.
            Self::Begun(tapped) => {
                tapped.note(context);
                context.record.nothing_sent();
            }
            Self::ExpectDecision(state) => {
                state.tapped.note(context);
                context.record.nothing_sent();
            }
            _ => {}
        }
    }

    /// The exchange is over: what was found goes into the record.
    pub(in crate::exchange) fn close(self, context: &mut Context) {
        self.note(context);
        if self.is_held() || matches!(self, Self::Begun(_)) {
            context.keeping.nothing_sent();
        }
    }
}
