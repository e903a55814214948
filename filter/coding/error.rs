//! Why a stream can't be decoded.

/// Why no more can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The bytes are not of the coding.
    Malformed,
    /// They end too early.
    Truncated,
    /// They decode to more than is allowed, or need a larger window.
    TooLarge,
    /// To decode them takes more memory than is allowed ([`super::Allowance`]).
    NoRoom,
}

/// A head names a coding, or several, that can't be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;
