//! What can be done with approvals, each in a transaction.

mod access;
mod answers;
mod asking;
mod deciding;
mod ids;
mod orders;
mod people;
mod resets;
mod standing;
mod sweep;

pub use access::{ask_ahead, grants};
pub use answers::{Room, fetch, find, keep};
pub use asking::{Limits, ask, cancel, claim, give_back, wait};
pub use deciding::{decide, list, look};
pub use orders::{blocks, delegate, delegations, lift, list_blocks, put_block, undelegate};
pub use people::People;
pub use resets::{list_resets, put_reset};
pub use standing::standing;
pub use sweep::{KEPT_FOR, kept_for, sweep};
