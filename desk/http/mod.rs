//! What every endpoint has in common: callers, bodies, answers and refusals.

mod answer;
mod body;
mod callers;

pub use answer::{Refusal, json};
pub use body::{LARGEST_BODY, read_body};
pub use callers::{Caller, Callers, Person};
