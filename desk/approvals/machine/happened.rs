//! What comes of a command.

use super::approval::Approval;
use crate::approvals::protocol::{State, WhyBack};

/// Something that stands in the ledger before it has an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A question was asked for the first time.
    Asked,
    /// The last of the decisions was made.
    Decided,
    /// It set the rules for reviewers aside.
    BrokeGlass,
    /// An approval was taken back, by the last of the decisions.
    Revoked,
    /// A request may go.
    Claimed {
        /// The claim.
        claim: String,
        /// The exchange.
        exchange: String,
        /// The request.
        binding: String,
    },
    /// A request has not been answered.
    GivenBack {
        /// The claim.
        claim: String,
        /// The exchange.
        exchange: String,
        /// Why.
        why: WhyBack,
        /// Whether its use can be taken again.
        returned: bool,
    },
    /// Somebody waits no more.
    Cancelled {
        /// Who.
        asker: String,
    },
    /// The time is over.
    Expired {
        /// The state that ended.
        was: State,
    },
}

/// Why a command has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such approval, for this filter.
    Unknown,
    /// The claim was given back.
    GivenBack,
    /// The claim is for another request.
    NotCovered,
    /// The reviewer is in none of the groups that may decide.
    NotYourGroup,
    /// The reviewer is the one who asks, or decides for the one who asks.
    OwnRequest,
    /// The reviewer, or who is decided for, has approved already.
    AlreadyApproved,
    /// It was decided already.
    AlreadyDecided,
    /// Nothing was decided that could be taken back.
    NotDecided,
    /// It is used up.
    Used,
    /// It is over.
    Expired,
    /// A reason is wanted.
    ReasonRequired,
    /// The reviewer is not one of those who may break glass.
    NoBreakGlass,
    /// It is about no answer that could be kept.
    NoAnswer,
    /// It has not been approved, or not any more.
    NotApproved,
}

/// What comes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<R> {
    /// The approval behind it.
    pub after: Approval,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// What to answer.
    pub reply: Result<R, Trouble>,
}

impl Approval {
    /// Ends what has run out of time.
    fn tick(&mut self, now: i64) -> Option<Happened> {
        let open = matches!(self.state, State::Pending | State::Approved);
        (open && self.expires <= now).then(|| {
            let was = self.state;
            self.state = State::Expired;
            self.askers.clear();
            Happened::Expired { was }
        })
    }

    /// Ends what has run out of time, then does `command`.
    pub(super) fn step<R>(
        mut self,
        now: i64,
        command: impl FnOnce(&mut Self, &mut Vec<Happened>) -> Result<R, Trouble>,
    ) -> Step<R> {
        let mut happened: Vec<_> = self.tick(now).into_iter().collect();
        let reply = command(&mut self, &mut happened);
        self.turn(now);
        Step {
            after: self,
            happened,
            reply,
        }
    }
}
