//! Masking: text in pieces of any size in, the same text without what the policy covers out.

mod compiled_mask;
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

pub use compiled_mask::CompiledMask;
pub use detectors::DetectorError;
pub use engine::Matcher;
pub use pass::{Masks, Matches, Pass, Stop};
pub use render::Originals;
pub use text::{Sink, Text};
pub use walk::{Boundary, Counts, Format, Framing, GrpcMessage, Media, Trailer, WalkError, Walker};
