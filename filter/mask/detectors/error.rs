//! Why a detector could not be compiled.

/// Why a detector could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectorError {
    /// The detector's name.
    pub detector: String,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for DetectorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "detector {}: {}", self.detector, self.reason)
    }
}

impl std::error::Error for DetectorError {}
