//! Hashes of RFC 6962, section 2.1: SHA-256, with leaves and nodes kept apart.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// A hash's length in bytes.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// The plain hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash of a leaf: `SHA-256(0x00 || bytes)`.
    #[must_use]
    pub fn leaf(bytes: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(bytes);
        Self(hasher.finalize().into())
    }

    /// The hash of a node: `SHA-256(0x01 || left || right)`.
    #[must_use]
    pub fn node(left: Self, right: Self) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([1]);
        hasher.update(left.0);
        hasher.update(right.0);
        Self(hasher.finalize().into())
    }

    /// The root of the empty tree: the hash of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(&[])
    }

    /// The hash with these bytes; `None` unless they are [`HASH_BYTES`].
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// Base64 (RFC 4648, section 4), as checkpoints and proofs write it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads [`Hash::to_base64`].
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD
            .decode(text)
            .ok()
            .and_then(|bytes| Self::from_slice(&bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The root over the leaves or subtrees `hashes` (RFC 6962, `MTH`).
#[must_use]
pub fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Hash::empty(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            Hash::node(root(left), root(right))
        }
    }
}

/// The largest power of two below `count`, which is 2 or more.
fn split(count: usize) -> usize {
    count.div_ceil(2).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_split_at_the_largest_power_of_two_below_its_size() {
        for (count, expected) in [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8), (255, 128)] {
            assert_eq!(split(count), expected, "{count}");
        }
    }

    #[test]
    fn leaves_and_nodes_are_kept_apart() {
        // The roots of RFC 6962's reference implementation for no leaf and for one empty leaf.
        assert_eq!(
            Hash::empty().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            Hash::leaf(b"").to_string(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let (left, right) = (Hash::leaf(b"a"), Hash::leaf(b"b"));
        assert_ne!(Hash::node(left, right), Hash::node(right, left));
        assert_eq!(Hash::from_base64(&left.to_base64()), Some(left));
        assert_eq!(Hash::from_base64("AAAA"), None);
    }
}
