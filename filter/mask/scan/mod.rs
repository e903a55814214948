//! Looking through many bytes at once for the few that matter.

mod anchor;
mod block;

pub(super) use anchor::{next_anchor, reach};
