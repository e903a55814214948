//! Masking: text in pieces of any size in, the same text without what the policy covers out.

mod body_masks;
mod compiled_mask;
mod detectors;
mod formats;
mod matcher;
mod prefilter;
mod render;
mod text;
mod window;

#[cfg(test)]
mod tests;

pub use body_masks::{Masks, Matches, Pass, Stop};
pub use compiled_mask::CompiledMask;
pub use detectors::DetectorError;
pub use formats::{
    Boundary, Counts, Format, Framing, GrpcMessage, Media, Trailer, WalkError, Walker,
};
pub use matcher::Matcher;
pub use render::Originals;
pub use text::{Sink, Text};
