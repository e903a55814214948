//! Looking through many bytes at once for the few that matter.

mod anchor;
mod block;
mod numbers;

pub(super) use anchor::{next_anchor, reach};
pub(super) use numbers::{TELLING, plain_numbers};
