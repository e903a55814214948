//! One entry of the table, and how it is written.
//!
//! An entry is 32 bytes: the 16 of its digest; 7 of the time at which it expires and 1 of its
//! kind; 8 of its value. Numbers are little-endian.

/// What an entry is known by ([`super::Table::digest`]).
pub type Digest = [u8; 16];

/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = 32;

/// Bits of a time: milliseconds since 1970 for two million years.
const EXPIRY_BITS: u32 = 56;

/// The last time that can be written.
pub(super) const MAX_EXPIRY: u64 = (1 << EXPIRY_BITS) - 1;

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How much of a window is taken. It expires with the window.
    Count,
    /// Something that one exchange holds and will give back, at the latest when it expires.
    Reservation,
    /// What a person has allowed, until it expires.
    Grant,
}

impl Kind {
    /// No kind is 0, so that bytes that were never written are no entry.
    fn code(self) -> u64 {
        match self {
            Self::Count => 1,
            Self::Reservation => 2,
            Self::Grant => 3,
        }
    }

    fn of(code: u64) -> Option<Self> {
        [Self::Count, Self::Reservation, Self::Grant]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// One entry. It is known by its kind, digest and expiry together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub digest: Digest,
    /// When it expires, in milliseconds since 1970; times beyond the year 2,000,000 are cut to the
    /// last one that can be written.
    pub expiry: u64,
    /// Its value; what it means depends on the kind.
    pub value: u64,
}

impl Entry {
    pub(super) fn is(&self, other: &Self) -> bool {
        self.kind == other.kind && self.digest == other.digest && self.expiry == other.expiry
    }

    /// `None` for bytes of an unknown kind.
    pub(super) fn read(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk::<16>()?;
        let (end, value) = rest.split_first_chunk::<8>()?;
        let end = u64::from_le_bytes(*end);
        Some(Self {
            kind: Kind::of(end >> EXPIRY_BITS)?,
            digest: *digest,
            expiry: end & MAX_EXPIRY,
            value: u64::from_le_bytes(*value.first_chunk()?),
        })
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let end = self.kind.code() << EXPIRY_BITS | self.expiry.min(MAX_EXPIRY);
        bytes.extend_from_slice(&self.digest);
        bytes.extend_from_slice(&end.to_le_bytes());
        bytes.extend_from_slice(&self.value.to_le_bytes());
    }
}
