//! The commands by which people see and decide what waits at a desk, over HTTP.
//!
//! What a desk says is shown as it comes: a member that is missing is left out, and one that isn't known is
//! shown by its name, so that a desk and this program may differ in version. Text from outside reaches no
//! terminal with anything in it that could control one.

mod access;
mod ahead;
mod blocks;
mod decide;
mod delegations;
mod failed;
mod grants;
mod list;
mod member;
mod quotas;
mod remote;
mod show;
mod span;
mod table;
mod watch;
mod weekly;

pub use access::{Wanted, request};
pub use blocks::{Blocked, block, blocks, unblock};
pub use decide::{Decided, Decision, decide};
pub use delegations::{delegate, delegations, undelegate};
pub use failed::{Failed, Status};
pub use grants::grants;
pub use list::list;
pub use quotas::{Counted, Emptied, quota, quotas, reset, resets};
pub use remote::{Access, Remote, USUAL_DESK};
pub use show::show;
pub use span::seconds;
pub use watch::watch;
pub use weekly::{Weekly, days};

/// The exit status when everything was done.
pub const DONE: u8 = 0;

/// The exit status when the desk refused some of it.
pub const REFUSED: u8 = 1;

/// The exit status when a command is wrong, or the desk can't be reached.
pub const UNABLE: u8 = 2;
