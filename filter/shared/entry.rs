//! One entry of the table, and how it is written.
//!
//! An entry is the 16 bytes of its digest; 2 of its kind, in the upper 4 bits, and of its payload's
//! length; 6 of the time at which it expires; and its payload. Numbers are little-endian.

/// What an entry is known by ([`super::Table::digest`]).
pub type Digest = [u8; 16];

/// Bytes of an entry in front of its payload.
pub const HEAD_BYTES: usize = 24;

/// Bits of a payload's length.
const LENGTH_BITS: u16 = 12;

/// The longest payload.
pub(super) const MAX_PAYLOAD_BYTES: usize = (1 << LENGTH_BITS) - 1;

/// The last time that can be written: milliseconds since 1970, for nine thousand years.
pub const MAX_EXPIRY: u64 = (1 << 48) - 1;

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How much of a quota is taken. It expires once it says nothing any more.
    Count,
    /// How many counts somebody has made who can make up the names in their keys. It expires with the
    /// window in which so many may be made.
    Names,
    /// Something that one exchange holds and will give back, at the latest when it expires.
    Reservation,
    /// What a person has allowed, until it expires.
    Grant,
    /// That a count was emptied since a person said so, so that no other worker does it again.
    Reset,
}

impl Kind {
    /// No kind is 0, so that bytes that were never written are no entry.
    fn code(self) -> u16 {
        match self {
            Self::Count => 1,
            Self::Names => 2,
            Self::Reservation => 3,
            Self::Grant => 4,
            Self::Reset => 5,
        }
    }

    fn of(code: u16) -> Option<Self> {
        [
            Self::Count,
            Self::Names,
            Self::Reservation,
            Self::Grant,
            Self::Reset,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }

    /// Whether callers alone make entries of this kind, so that they may not take the last room.
    pub(super) fn is_of_callers(self) -> bool {
        matches!(self, Self::Count | Self::Names)
    }
}

/// One entry, as it lies in its cell. It is known by its kind and digest together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'c> {
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub digest: &'c Digest,
    /// When it expires, in milliseconds since 1970; later times are cut to [`MAX_EXPIRY`].
    pub expiry: u64,
    /// What it says; what that means depends on the kind.
    pub payload: &'c [u8],
}

impl<'c> Entry<'c> {
    /// The first entry of these bytes, and what comes behind it. `None` for bytes that are none.
    pub(super) fn split(bytes: &'c [u8]) -> Option<(Self, &'c [u8])> {
        let (digest, rest) = bytes.split_first_chunk::<16>()?;
        let (label, rest) = rest.split_first_chunk::<2>()?;
        let ([a, b, c, d, e, f], rest) = rest.split_first_chunk::<6>()?;
        let label = u16::from_le_bytes(*label);
        let length = usize::from(label & ((1 << LENGTH_BITS) - 1));
        let (payload, rest) = rest.split_at_checked(length)?;
        let entry = Self {
            kind: Kind::of(label >> LENGTH_BITS)?,
            digest,
            expiry: u64::from_le_bytes([*a, *b, *c, *d, *e, *f, 0, 0]),
            payload,
        };
        Some((entry, rest))
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        HEAD_BYTES.saturating_add(self.payload.len())
    }

    /// Writes it over as many bytes as it takes.
    pub(super) fn write_over(&self, place: &mut [u8]) {
        let (head, payload) = place.split_at_mut(HEAD_BYTES.min(place.len()));
        for (to, from) in head.iter_mut().zip(self.head()) {
            *to = from;
        }
        if payload.len() == self.payload.len() {
            payload.copy_from_slice(self.payload);
        }
    }

    /// Writes it behind `bytes`. Its payload is no longer than [`MAX_PAYLOAD_BYTES`].
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.head());
        bytes.extend_from_slice(self.payload);
    }

    fn head(&self) -> [u8; HEAD_BYTES] {
        let length = u16::try_from(self.payload.len()).unwrap_or(u16::MAX);
        let label = (self.kind.code() << LENGTH_BITS) | (length & ((1 << LENGTH_BITS) - 1));
        let mut head = [0; HEAD_BYTES];
        let (digest, rest) = head.split_at_mut(self.digest.len());
        digest.copy_from_slice(self.digest);
        let expiry = self.expiry.min(MAX_EXPIRY).to_le_bytes();
        let fields = label.to_le_bytes().into_iter().chain(expiry);
        rest.iter_mut()
            .zip(fields)
            .for_each(|(to, from)| *to = from);
        head
    }
}
