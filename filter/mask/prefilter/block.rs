//! Bytes that are looked at together, with one bit of an answer for each.

use wide::u8x16;

/// How many bytes a block has.
pub(crate) const BLOCK_BYTES: usize = 64;

/// `COUNT` times 16 bytes. The lowest bit of an answer stands for the first byte.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<const COUNT: usize>([u8x16; COUNT]);

/// 64 bytes, one for each bit of an answer.
pub(crate) type Block = Lanes<4>;

impl Block {
    /// The block at the front of `bytes`; where there are fewer, zeros follow them.
    pub(crate) fn load(bytes: &[u8]) -> Self {
        match bytes.first_chunk::<BLOCK_BYTES>() {
            Some(whole) => Self::new(whole),
            None => Self::new(&padded(bytes)),
        }
    }

    /// The block of these bytes.
    #[inline]
    pub(crate) fn new(bytes: &[u8; BLOCK_BYTES]) -> Self {
        Self::of(bytes)
    }
}

impl Lanes<2> {
    /// The first 32 bytes of `bytes`; where there are fewer, zeros follow them.
    pub(crate) fn load(bytes: &[u8]) -> Self {
        match bytes.first_chunk::<{ BLOCK_BYTES / 2 }>() {
            Some(whole) => Self::of(whole),
            None => Self::of(&padded::<{ BLOCK_BYTES / 2 }>(bytes)),
        }
    }
}

fn padded<const LENGTH: usize>(bytes: &[u8]) -> [u8; LENGTH] {
    let mut padded = [0; LENGTH];
    if let Some(front) = padded.get_mut(..bytes.len()) {
        front.copy_from_slice(bytes);
    }
    padded
}

impl<const COUNT: usize> Lanes<COUNT> {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let (lanes, _) = bytes.as_chunks::<16>();
        let mut block = [u8x16::ZERO; COUNT];
        for (to, from) in block.iter_mut().zip(lanes) {
            *to = u8x16::from(*from);
        }
        Self(block)
    }

    /// Which bytes are `byte`.
    #[inline]
    pub(crate) fn equal(self, byte: u8) -> u64 {
        self.bits(|lane| equal(lane, byte))
    }

    /// Which bytes are one or the other.
    #[inline]
    pub(crate) fn either(self, one: u8, other: u8) -> u64 {
        self.bits(|lane| equal(lane, one) | equal(lane, other))
    }

    /// Which bytes are from `first` to `last`.
    #[inline]
    pub(crate) fn within(self, first: u8, last: u8) -> u64 {
        self.bits(|lane| within(lane, first, last))
    }

    /// Which bytes are from `first` to `last`, or `byte`.
    #[inline]
    pub(super) fn within_or(self, (first, last): (u8, u8), byte: u8) -> u64 {
        self.bits(|lane| within(lane, first, last) | equal(lane, byte))
    }

    #[inline]
    fn bits(self, answer: impl Fn(u8x16) -> u8x16) -> u64 {
        let mut bits = 0;
        for lane in self.0.into_iter().rev() {
            bits = bits << 16 | u64::from(answer(lane).to_bitmask());
        }
        bits
    }
}

#[inline]
fn equal(lane: u8x16, byte: u8) -> u8x16 {
    lane.simd_eq(u8x16::splat(byte))
}

#[inline]
fn within(lane: u8x16, first: u8, last: u8) -> u8x16 {
    let distance = lane - u8x16::splat(first);
    let most = u8x16::splat(last.wrapping_sub(first));
    distance.min(most).simd_eq(distance)
}
