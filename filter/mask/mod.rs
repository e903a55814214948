//! Masking: text in pieces of any size in, the same text without what the policy covers out.

mod detectors;
mod engine;
mod pass;
mod render;
mod scan;
mod text;
mod walk;
mod window;

#[cfg(test)]
mod tests;

pub use engine::{Engine, EngineError};
pub use pass::{Masks, Matches, Pass, Stop};
pub use render::Originals;
pub use text::{Sink, Text};
pub use walk::{Boundary, Counts, Format, Framing, GrpcMessage, Media, Trailer, WalkError, Walker};
