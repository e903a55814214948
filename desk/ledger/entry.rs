//! Entries, and the leaves of the tree that stand for them.

use super::hash::{HASH_BYTES, Hash};

/// The longest entry, in bytes: that of the longest gRPC message that the recorder takes.
pub const MAX_ENTRY_BYTES: usize = 32 << 20;

/// A leaf's length in bytes.
pub const LEAF_BYTES: usize = 50;

/// The form of leaves that is written here.
const FORM: u8 = 1;

/// What an entry is. The ledger itself only knows [`Kind::KEY`], and of [`Kind::EVENT`] those that say what
/// was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// The ledger's first signing key, or the one that follows.
    pub const KEY: Self = Self(0);

    /// Something that was done with the ledger, or through it: a JSON object.
    pub const EVENT: Self = Self(2);
}

/// An entry: what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// When it was taken, in milliseconds since 1970.
    pub time: u64,
    /// What it says; at most [`MAX_ENTRY_BYTES`].
    pub bytes: Vec<u8>,
}

/// What the tree has in an entry's place: all about it but its bytes, of which it has the digest.
///
/// So an entry of megabytes fits the bundles of c2sp.org/tlog-tiles, whose entries have 65,535
/// bytes at most, and its bytes may be deleted some day while everything else stays provable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What the entry is.
    pub kind: Kind,
    /// When it was taken, in milliseconds since 1970.
    pub time: u64,
    /// How many bytes it has.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub digest: Hash,
}

impl Leaf {
    /// The leaf of an entry.
    #[must_use]
    pub fn of(kind: Kind, time: u64, bytes: &[u8]) -> Self {
        Self {
            kind,
            time,
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            digest: Hash::of(bytes),
        }
    }

    /// As it is hashed: form (1 byte, 1), kind (1), time (8), length (8), digest (32); numbers
    /// are big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LEAF_BYTES] {
        let mut out = [0; LEAF_BYTES];
        let parts = [FORM, self.kind.0]
            .into_iter()
            .chain(self.time.to_be_bytes())
            .chain(self.length.to_be_bytes())
            .chain(*self.digest.as_bytes());
        for (to, from) in out.iter_mut().zip(parts) {
            *to = from;
        }
        out
    }

    /// Reads [`Leaf::to_bytes`]; `None` if that is not its form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (length, digest) = rest.split_first_chunk::<8>()?;
        let digest = digest
            .first_chunk::<HASH_BYTES>()
            .filter(|_| bytes.len() == LEAF_BYTES)?;
        match head {
            [FORM, kind] => Some(Self {
                kind: Kind(*kind),
                time: u64::from_be_bytes(*time),
                length: u64::from_be_bytes(*length),
                digest: Hash::from_slice(digest)?,
            }),
            _ => None,
        }
    }

    /// The leaf's hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::leaf(&self.to_bytes())
    }
}

impl Entry {
    /// What stands for it in the tree.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        Leaf::of(self.kind, self.time, &self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_read_back_and_nothing_else_is() {
        let leaf = Leaf::of(Kind(7), 1_700_000_000_123, b"some bytes");
        let bytes = leaf.to_bytes();
        assert_eq!(Leaf::from_bytes(&bytes), Some(leaf));
        assert_eq!(leaf.length, 10);
        assert_eq!(Leaf::from_bytes(&bytes[..49]), None);
        assert_eq!(Leaf::from_bytes(&[&bytes[..], b"x"].concat()), None);
        let mut other = bytes;
        other[0] = 2;
        assert_eq!(Leaf::from_bytes(&other), None);
    }

    #[test]
    fn every_member_of_an_entry_changes_its_hash() {
        let entry = |kind, time, bytes: &[u8]| Leaf::of(Kind(kind), time, bytes).hash();
        let base = entry(1, 2, b"3");
        for other in [
            entry(0, 2, b"3"),
            entry(1, 3, b"3"),
            entry(1, 2, b"4"),
            entry(1, 2, b"33"),
        ] {
            assert_ne!(base, other);
        }
    }
}
