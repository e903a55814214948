//! Looking through many bytes at once for the few that matter.

mod anchor;
mod block;
mod months;
mod numbers;
mod string;

#[cfg(test)]
mod tests;

pub(super) use anchor::{Anchors, reach};
pub(super) use block::{BLOCK_BYTES, Block, Lanes};
pub(super) use months::begins_month;
pub(super) use numbers::{TELLING_DIGITS, plain_numbers};
pub(super) use string::end_of_string;
