//! What tells one text of a stream from another.

/// A digest of the place and the names that a text has in each entry.
pub(super) type Id = [u8; 32];
