//! What an outcome leads to, until nothing more comes of it.

use core::fmt;
use std::collections::VecDeque;

use crate::exchange::{Effect, Flow, Outcome};
use crate::host::api::Status;

/// An exchange and its host, as far as this is concerned.
pub(in crate::host) trait Perform {
    /// Does what an effect says; gives the number of a call that can't be sent.
    fn perform(&mut self, effect: Effect) -> Result<Option<u64>, Failure>;

    /// Tells of a call that could not be sent.
    fn call_failed(&mut self, call: u64) -> Result<Outcome, Failure>;
}

/// More calls in a row than this don't fail: no exchange makes as many without an answer.
const MAX_FAILED_CALLS: usize = 16;

/// Performs an outcome's effects. A call that can't be sent is answered at once, which leads to
/// effects of its own; the last outcome says what goes on.
pub(in crate::host) fn settle(
    performer: &mut impl Perform,
    mut outcome: Outcome,
) -> Result<Flow, Failure> {
    let mut failed = VecDeque::new();
    for _ in 0..=MAX_FAILED_CALLS {
        for effect in outcome.effects {
            failed.extend(performer.perform(effect)?);
        }
        let Some(call) = failed.pop_front() else {
            return Ok(outcome.flow);
        };
        outcome = performer.call_failed(call)?;
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
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::Host(_) | Self::Short | Self::Endless => "host_failed",
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
