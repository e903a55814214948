//! 64 bytes that are looked at together, with one bit of an answer for each.

use wide::u8x16;

/// How many bytes a block has.
pub(super) const WIDTH: usize = 64;

/// 64 bytes. The lowest bit of an answer is that of the first byte.
#[derive(Clone, Copy)]
pub(super) struct Block([u8x16; 4]);

impl Block {
    /// The block at the front of `bytes`; where there are fewer, zeros follow them.
    pub(super) fn load(bytes: &[u8]) -> Self {
        match bytes.first_chunk::<WIDTH>() {
            Some(whole) => Self::new(whole),
            None => {
                let mut padded = [0; WIDTH];
                if let Some(front) = padded.get_mut(..bytes.len()) {
                    front.copy_from_slice(bytes);
                }
                Self::new(&padded)
            }
        }
    }

    fn new(bytes: &[u8; WIDTH]) -> Self {
        let (lanes, _) = bytes.as_chunks::<16>();
        let mut block = [u8x16::ZERO; 4];
        for (to, from) in block.iter_mut().zip(lanes) {
            *to = u8x16::from(*from);
        }
        Self(block)
    }

    /// Which bytes are `byte`.
    pub(super) fn equal(self, byte: u8) -> u64 {
        let byte = u8x16::splat(byte);
        self.bits(|lane| lane.simd_eq(byte))
    }

    /// Which bytes are from `first` to `last`.
    pub(super) fn within(self, first: u8, last: u8) -> u64 {
        let from = u8x16::splat(first);
        let most = u8x16::splat(last.wrapping_sub(first));
        self.bits(|lane| {
            let distance = lane - from;
            distance.min(most).simd_eq(distance)
        })
    }

    fn bits(self, answer: impl Fn(u8x16) -> u8x16) -> u64 {
        let [a, b, c, d] = self.0;
        let bits = |lane| u64::from(answer(lane).to_bitmask());
        bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48
    }
}
