//! Looking through many bytes at once for the few that matter.

mod anchor;
mod block;
mod marks;
mod numbers;

#[cfg(test)]
mod tests;

pub(super) use anchor::{Anchors, reach};
pub(super) use block::Block;
pub(super) use marks::{Marks, end_of_string};
pub(super) use numbers::{TELLING, plain_numbers};
