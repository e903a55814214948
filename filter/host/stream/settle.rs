//! What an outcome leads to, until nothing more comes of it.

use base::code::Code;
use core::fmt;
use std::collections::VecDeque;

use crate::exchange::{Direction, Effect, Flow, Outcome, Purpose};
use crate::host::api::Status;

/// An exchange and its host, as far as this is concerned.
pub(in crate::host) trait Perform {
    /// Does what an effect says.
    fn perform(&mut self, effect: Effect) -> Result<Option<FollowUp>, Failure>;

    /// Lets a direction go on, outside its callbacks.
    fn resume(&mut self, direction: Direction) -> Result<(), Failure>;

    /// Tells the exchange of something that followed at once.
    fn follow(&mut self, what: FollowUp) -> Result<Outcome, Failure>;
}

/// What the exchange is told in the same callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum FollowUp {
    /// A call could not be sent.
    NotSent { purpose: Purpose, number: u64 },
    /// The request's body has been asked for.
    RequestBody,
    /// What has come of the request's body has been asked for.
    RequestBytes { end: bool },
    /// What the host knows of the exchange has been asked for.
    Closing,
}

/// More than this doesn't follow from one callback.
const MAX_FOLLOWED: usize = 16;

/// Performs an outcome's effects, in a callback of this direction, if it is one of a direction's.
/// What follows at once leads to effects of its own. A host can't resume a direction in one of its
/// own callbacks: there, the callback's result does.
pub(in crate::host) fn settle(
    performer: &mut impl Perform,
    own: Option<Direction>,
    outcome: Outcome,
) -> Result<Flow, Failure> {
    let mut flow = outcome.flow;
    let mut effects = outcome.effects;
    let mut following = VecDeque::new();
    for _ in 0..=MAX_FOLLOWED {
        for effect in effects {
            match effect {
                Effect::Resume(direction) if own == Some(direction) => flow = Flow::Continue,
                Effect::Resume(direction) => performer.resume(direction)?,
                effect => following.extend(performer.perform(effect)?),
            }
        }
        let Some(what) = following.pop_front() else {
            return Ok(flow);
        };
        effects = performer.follow(what)?.effects;
    }
    Err(Failure::Endless)
}

/// Why a stream can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Failure {
    /// There is no policy.
    NotConfigured,
    /// The host refused a call.
    Host(Status),
    /// The host gave less than it said it has, or something else.
    Short,
    /// Calls fail one after the other.
    Endless,
}

impl Failure {
    /// What the client is told.
    pub(super) fn code(self) -> Code {
        match self {
            Self::NotConfigured => Code::NotConfigured,
            Self::Host(_) | Self::Short | Self::Endless => Code::HostFailed,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => f.write_str("there is no policy"),
            Self::Host(Status(status)) => write!(f, "the host refused a call: status {status}"),
            Self::Short => f.write_str("the host gave less than it said it has"),
            Self::Endless => f.write_str("calls failed one after the other"),
        }
    }
}
