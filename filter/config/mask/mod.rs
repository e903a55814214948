//! `/detectors` and `/masks` of the policy.

mod built_in;
mod masks;
mod options;
mod own;

pub use built_in::BUILT_IN_DETECTORS;
pub use masks::{Detection, Mask, Style};
pub use options::MaskOptions;
pub use own::Detector;

pub(super) use masks::read_masks;
pub(super) use own::read_detectors;
