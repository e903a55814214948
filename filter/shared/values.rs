//! Named values that all workers see.

/// Named values that all workers of an Envoy share, as its host keeps them. Each has a version
/// that changes with every write.
pub trait Shared {
    /// Makes an empty value if there is none of this name. Two workers that make the same one at once
    /// may undo each other's first change, so call this before any worker serves.
    ///
    /// # Errors
    /// The host has no room for values.
    fn make(&self, name: &str) -> Result<(), SharedError>;

    /// A value's bytes and version.
    ///
    /// # Errors
    /// There is no such value, or it can't be read.
    fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError>;

    /// Replaces a value if its version is still `version`; gives whether it was.
    ///
    /// # Errors
    /// There is no such value, or it can't be written.
    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError>;
}

/// A shared value can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedError;
