//! One approval as a value: commands take the time as an argument and give the value after them, what happened,
//! and what to answer. Nothing here reads a clock, a store or the network.
//!
//! | state | comes from | and ends |
//! |---|---|---|
//! | pending | a question | with enough approvals, one denial, or its time |
//! | approved | enough people, or one who breaks glass | with its last use, a revocation, or its time |
//! | used | the last use | never, but a use that is given back in time makes it approved again |
//! | denied, expired, revoked | | never; the same question asked later is a new approval |

mod approval;
mod asking;
mod calendar;
mod claims;
mod deciding;
mod grant;
mod happened;
mod kept;
mod people;
#[cfg(test)]
mod tests;

pub use approval::{Approval, Asker, Covered, Decision, Use};
pub use asking::{ALONE_FOR, ASKER_LEASE};
pub use claims::MAX_CLAIMS;
pub use deciding::{DENIED_FOR, Verdict};
pub use grant::APPROVED_FOR;
pub use happened::{Happened, Step, Trouble};
pub use kept::{Ends, USED_FOR};
pub use people::{Lent, is_own};
