//! `/detectors`, `/masks` and `/pseudonyms` of the policy.

mod class;
mod coverage;
mod custom;
mod fields;
mod headers;
mod masks;
mod options;
mod pass;
mod plan;
mod pseudonyms;
mod style;

pub use crate::detectors::BUILT_IN_DETECTORS;
pub use class::Class;
pub(crate) use coverage::Treatment;
pub use coverage::{Coverage, Reasoning};
pub use custom::{DETECTORS, Detector, read_detectors};
pub use fields::{FieldRules, Pointer, Segment};
pub use masks::{Chosen, Detection, MASKS, Mask, Surroundings, read_masks};
pub use options::{Options, PartialContent, Upgrades};
pub use pass::Passing;
pub use plan::{Gate, Plan};
pub use pseudonyms::{PSEUDONYMS, PseudonymKey, read_pseudonyms};
pub use style::{Action, Style};
