//! Masking: text in pieces of any size in, the same text without what the policy covers out.

mod engine;
mod text;
mod walk;

pub use engine::{Engine, EngineError};
pub use text::{Sink, Text};
pub use walk::{Counts, Format, WalkError, Walker};
