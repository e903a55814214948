//! What goes over the wire between filters, reviewers and the desk: version 2 of the protocol.
//!
//! Times between a filter and the desk are how much is left, since their clocks differ; what people see is RFC 3339.
//! Members that this version doesn't know are carried or ignored, never refused.

mod ahead;
mod answer;
mod calendar;
mod kept;
mod own;
mod people;
mod question;
mod resets;
mod standing;
mod view;

pub use ahead::{Ahead, Models};
pub use answer::{
    Answer, Cancel, Claim, ClaimState, Claimed, DecisionKind, GiveBack, Granted, State, Tally,
    WhyBack,
};
pub use calendar::{Calendar, Clock, Date, Day, Offset, Window};
pub use kept::{Find, Found, Keep, MAX_KEPT_SECONDS, MAX_SEALED_BYTES, Sealed};
pub(super) use people::MAX_GROUP_BYTES;
pub use people::{
    Access, Block, Blocks, Bulk, Decide, Delegate, Delegation, Delegations, Failure, Grants,
    NewBlock, Outcome, Outcomes,
};
pub use question::{About, Body, Escalate, GrantTerms, Matter, Question, ReasonRule};
pub(super) use question::{MAX_GRANT_SECONDS, is_hex};
pub(super) use resets::{MAX_RESET_SECONDS, MAX_RESET_TEXTS};
pub use resets::{NewReset, Reset, Resets};
pub use standing::{Changed, LEASE_MILLIS, Standing, StandingBlock, StandingGrant, StandingReset};
pub use view::{Approvals, ClaimView, DecisionView, View};
