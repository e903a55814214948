//! Masking: text in pieces of any size in, the same text without what the policy covers out.
//!
//! | here | what it does |
//! |---|---|
//! | `body_masks` | runs a body through everything that a policy's masks say about it |
//! | `compiled_mask` | one mask ready for use: a matcher, and what it asks of bodies |
//! | `formats` | finds the texts in a body of some format, and writes the body again |
//! | `text` | decides one text, piece by piece |
//! | `bare_number` | says where a number has to become a string |
//! | `matcher` | says what begins at a position of a text, of all detectors of a mask |
//! | `detectors` | say what a match is, one at a time |
//! | `prefilter` | skips what no detector needs to look at |
//! | `render` | writes what replaces a match |
//! | `secrets` | keeps the guard's own secrets from coming out, in any format |
//! | `policy` | is what `/detectors`, `/masks` and `/pseudonyms` of the policy say |
//! | `window` | is what a detector sees of a text |
//!
//! Start with [`Text`], which says what is guaranteed and why, then read `detectors/detect.rs` and
//! one detector, and `formats/json.rs` or `formats/events.rs`.

mod bare_number;
mod body_masks;
mod compiled_mask;
mod detectors;
mod formats;
mod matcher;
pub mod policy;
mod prefilter;
mod render;
mod secrets;
mod text;
mod window;

#[cfg(test)]
mod tests;

pub use body_masks::{Masks, Matches, Pass, Stop};
pub use compiled_mask::CompiledMask;
pub use detectors::DetectorError;
pub use formats::{
    Boundary, Called, Counts, Format, Framing, Front, GrpcMessage, Layout, Media, OCTET_STREAM,
    Octets, Shape, TensorFrame, TensorList, Trailer, USUAL_ENTRY_BYTES, USUAL_HELD_BYTES,
    WalkError, Walker, is_utf8, keeps_ascii,
};
pub use matcher::Matcher;
pub use render::Originals;
pub use secrets::{MIN_SECRET_BYTES, OWN_SECRET, Scrub, Secrets, SpreadSecrets};
pub use text::{Sink, Text};
