//! Why a body cannot be masked.

use base::wire::WireError;

/// Why a body cannot be masked. Whoever sends it on must cut it off before what is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkError {
    /// An event or a frame is longer than what is held of a body.
    TooLarge,
    /// One event or message has more texts than are followed.
    TooManyTexts,
    /// A message is compressed in a way that is not known.
    Compressed,
    /// A message's lengths or types contradict each other.
    Malformed,
    /// The body ends within a message.
    Truncated,
    /// A part of the body is of a type that may have text that is not read.
    UnknownPart,
}

impl std::fmt::Display for WalkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "an event or message is too long to be masked",
            Self::TooManyTexts => "an event or message has too many texts to be masked",
            Self::Compressed => "a message is compressed in a way that is not known",
            Self::Malformed => "a message is malformed",
            Self::Truncated => "the body ends within a message",
            Self::UnknownPart => "a part of the body is of a type that is not read",
        })
    }
}

impl std::error::Error for WalkError {}

impl From<WireError> for WalkError {
    fn from(WireError: WireError) -> Self {
        Self::Malformed
    }
}
