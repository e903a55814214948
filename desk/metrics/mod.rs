//! `GET /metrics`: what the desk does, in Prometheus' text format (version 0.0.4).
//!
//! Like `/healthz` it takes no key: labels have only names that the code or `desk.json` gives, and nothing of a
//! caller.

mod collect;
mod missing;
mod process;
mod text;

pub use collect::{Sources, routes};
pub use missing::Looks;
