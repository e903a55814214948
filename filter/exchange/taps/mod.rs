//! The way of a body, in each direction: stages in one order, each a tap that is open or closed for
//! this exchange.
//!
//! | stage | request, which is whole | response, piece by piece |
//! |---|---|---|
//! | undo the coding | `decode` | `decode` |
//! | look at what is said | `facts` | between `decode` and `mask` in `response` |
//! | read what it took | never | `usage` |
//! | mask | `request_mask` | `mask` |
//! | keep the guard's own secrets back | never | `guard` |
//! | count for the record | always | always |
//!
//! Which are open is what the policy wants of the exchange: [`RequestTaps`] for a request, before
//! its verdict and behind it, and [`Wanted`] for its response. None needs another one to be open, and
//! a body of which nothing is wanted has no way at all.

mod decode;
mod facts;
mod guard;
mod mask;
mod request;
mod request_mask;
mod response;
mod stage;
mod usage;
mod wanted;

#[cfg(test)]
mod tests;

pub(super) use decode::undo;
pub(super) use facts::{complete, prompts_of_head, take_message};
pub(super) use guard::{Unread, note as note_secrets};
pub(super) use request::RequestTaps;
pub(super) use request_mask::over;
pub(super) use response::ResponseTaps;
pub(super) use wanted::Wanted;
