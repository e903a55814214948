//! `/detectors`, `/masks` and `/pseudonyms` of the policy.

mod built_in;
mod custom;
mod fields;
mod masks;
mod options;
mod plan;
mod pseudonyms;
mod style;

pub use built_in::BUILT_IN_DETECTORS;
pub use custom::Detector;
pub use fields::{FieldRules, Pointer, Segment};
pub use masks::{Chosen, Detection, Mask};
pub use options::{Options, PartialContent};
pub use plan::{Gate, Plan};
pub use pseudonyms::PseudonymKey;
pub use style::{Action, Style};

pub(super) use custom::read_detectors;
pub(super) use masks::{Surroundings, read_masks};
pub(super) use pseudonyms::read_pseudonyms;
