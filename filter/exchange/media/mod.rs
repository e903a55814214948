//! How a body carries text: decided once, from its head, for both directions.
//!
//! | here | what it says |
//! |---|---|
//! | `form` | the answer |
//! | `head` | what a head's own words come to: media type, boundary, charset, codings, frames |
//! | `request` | a request's body: its route has the say, not its caller |
//! | `disguise` | whether a request's bytes could be something else than its head says |
//! | `response` | a response's body: its status and its media type have the say, and what may pass unread |
//!
//! What can't be told with certainty is an error, which each direction answers in its own way.

mod disguise;
mod form;
mod head;
mod request;
mod response;

pub(super) use form::{Content, TextForm};
pub(super) use head::{coding, speaks_grpc};
pub(super) use request::{RequestForm, decidable};
pub(super) use response::{Question, content};
