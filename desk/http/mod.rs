//! What every endpoint has in common: callers, bodies, answers and refusals.

mod answer;
mod body;
mod callers;
mod credentials;

pub use answer::{Refusal, json};
pub use body::{MAX_BODY_BYTES, read_body, read_bytes};
pub use callers::{Caller, Callers, Person};
pub use credentials::Credentials;
