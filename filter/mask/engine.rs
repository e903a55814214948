//! All detectors of a mask compiled into one machine.

use crate::config::mask::Detection;

/// All detectors of a mask, compiled once and shared by every text that is masked with them.
#[derive(Debug)]
pub struct Engine {}

/// Why a mask could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    /// The detector's name.
    pub detector: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Engine {
    /// Compiles the detectors.
    ///
    /// # Errors
    /// A detector whose expression does not compile, or whose longest match is not bounded.
    pub fn new(_detections: &[Detection]) -> Result<Self, EngineError> {
        Ok(Self {})
    }

    /// The name of detector `index`, as [`Sink::replace`] gives it.
    #[must_use]
    pub fn detector_name(&self, _index: usize) -> &str {
        ""
    }
}
