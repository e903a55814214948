//! A request whose caller can't be verified until keys have come.

use super::head::{self, Head};
use super::state::{ExpectKeys, Step};
use crate::exchange::context::Context;
use crate::exchange::world::World;

/// Tries once more to verify the caller.
pub(super) fn retry(state: ExpectKeys, context: &mut Context, world: World<'_>) -> Step {
    let headers: Vec<(&[u8], &[u8])> = state
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect();
    let head = Head {
        headers: &headers,
        end: state.end,
        cluster: state.cluster.as_deref(),
    };
    head::take(head, context, world)
}
