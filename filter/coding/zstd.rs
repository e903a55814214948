//! Zstandard: frames of blocks, and frames to be skipped.
//!
//! The decoder behind it wants whole headers and whole blocks, so both are held until they are
//! there; how long they are is read here.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::io::Read;

use super::allowance::Allowance;
use super::error::Error;
use super::window::MAX_WINDOW_BYTES;

const MAGIC: u32 = 0xFD2F_B528;
const SKIPPED: core::ops::RangeInclusive<u32> = 0x184D_2A50..=0x184D_2A5F;
/// The longest content of a block (RFC 8878, section 3.1.1.2.4).
const MAX_BLOCK_BYTES: usize = 128 * 1024;

/// What is read next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum NextPart {
    /// A frame's header.
    #[default]
    Header,
    /// So many bytes of a frame that is skipped.
    Skip(u32),
    /// A block; behind the last one, if the frame has one, a checksum.
    Block { sum: bool },
}

/// Decodes zstd.
pub(super) struct Zstd {
    state: NextPart,
    /// The header or block whose end has not come.
    held: Vec<u8>,
    frame: FrameDecoder,
    /// There may be something to collect.
    more: bool,
    /// A frame has been read.
    whole: bool,
    /// What the frames so far have needed.
    needed: usize,
}

impl core::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Zstd")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Default for Zstd {
    fn default() -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(u64::try_from(MAX_WINDOW_BYTES).unwrap_or(u64::MAX));
        Self {
            state: NextPart::default(),
            held: Vec::new(),
            frame,
            more: false,
            whole: false,
            needed: 0,
        }
    }
}

impl Zstd {
    pub(super) fn is_whole(&self) -> bool {
        self.whole && self.state == NextPart::Header && self.held.is_empty()
    }

    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        allowance: &mut dyn Allowance,
    ) -> Result<usize, Error> {
        loop {
            if self.more {
                let written = self.frame.read(out).map_err(|_| Error::Malformed)?;
                self.more = written > 0;
                if written > 0 {
                    return Ok(written);
                }
            }
            if let NextPart::Skip(left) = &mut self.state {
                let skipped = input
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *input = input.get(skipped..).unwrap_or_default();
                *left = left.saturating_sub(u32::try_from(skipped).unwrap_or(u32::MAX));
                if *left > 0 {
                    return Ok(0);
                }
                self.state = NextPart::Header;
                self.whole = true;
            }
            let wanted = self.wanted()?;
            let (now, later) = input.split_at(input.len().min(wanted - self.held.len()));
            self.held.extend_from_slice(now);
            *input = later;
            if self.held.len() < wanted {
                return Ok(0);
            }
            if self.wanted()? == wanted {
                self.end_held(allowance)?;
            }
        }
    }

    /// How long what is held has to be, as far as that can be told from it; never less than it is.
    fn wanted(&self) -> Result<usize, Error> {
        match self.state {
            NextPart::Header | NextPart::Skip(_) => header(&self.held),
            NextPart::Block { sum } => block(&self.held, sum),
        }
    }

    /// A complete header or block is held.
    fn end_held(&mut self, allowance: &mut dyn Allowance) -> Result<(), Error> {
        let held = core::mem::take(&mut self.held);
        match self.state {
            NextPart::Header | NextPart::Skip(_) => {
                let (magic, rest) = held.split_first_chunk::<4>().ok_or(Error::Malformed)?;
                if SKIPPED.contains(&u32::from_le_bytes(*magic)) {
                    let length = rest.first_chunk::<4>().ok_or(Error::Malformed)?;
                    self.state = NextPart::Skip(u32::from_le_bytes(*length));
                    return Ok(());
                }
                let window = window(rest).ok_or(Error::Malformed)?;
                if window > MAX_WINDOW_BYTES {
                    return Err(Error::TooLarge);
                }
                // What one frame has taken is kept for the next.
                self.needed = self.needed.max(bytes_held(window));
                if !allowance.resize(self.needed) {
                    return Err(Error::NoRoom);
                }
                self.frame.reset(held.as_slice()).map_err(|error| {
                    use ruzstd::decoding::errors::FrameDecoderError;
                    match error {
                        FrameDecoderError::WindowSizeTooBig { .. } => Error::TooLarge,
                        _ => Error::Malformed,
                    }
                })?;
                let sum = rest.first().is_some_and(|flags| flags & 4 != 0);
                self.state = NextPart::Block { sum };
            }
            NextPart::Block { .. } => {
                let over = self
                    .frame
                    .decode_blocks(held.as_slice(), BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|_| Error::Malformed)?;
                self.more = true;
                if over {
                    self.state = NextPart::Header;
                    self.whole = true;
                }
            }
        }
        Ok(())
    }
}

/// A block as it came, its literals, and its sequences: at most 98,303 of 12 bytes, in a list that
/// doubles as it grows; besides tables, of a few KiB.
const BLOCK_BYTES: usize = 3 * 1024 * 1024 + MAX_BLOCK_BYTES;

/// The most that is held of a frame with this window. The decoder's ring has room for the window
/// and a block, in a power of two that two blocks are left out of; it is copied when it grows, and was
/// half of that before.
pub(super) const fn bytes_held(window: usize) -> usize {
    let ring = window
        .saturating_sub(MAX_BLOCK_BYTES)
        .next_power_of_two()
        .saturating_add(2 * MAX_BLOCK_BYTES);
    ring + ring / 2 + 2 * MAX_BLOCK_BYTES + BLOCK_BYTES
}

/// The window of a frame by its whole header, behind the magic number (RFC 8878, section 3.1.1.1).
/// Saturates, since what is more than the largest is all the same.
fn window(header: &[u8]) -> Option<usize> {
    let (flags, rest) = header.split_first()?;
    let wide = if flags & 0x20 == 0 {
        let descriptor = rest.first()?;
        let base = 1u64 << (10 + (descriptor >> 3));
        base + base / 8 * u64::from(descriptor & 7)
    } else {
        // The window is as long as the content, whose length stands behind the dictionary's id.
        let size = rest.get(dictionary(*flags)..)?;
        match flags >> 6 {
            0 => u64::from(*size.first()?),
            1 => u64::from(u16::from_le_bytes(*size.first_chunk()?)) + 256,
            2 => u64::from(u32::from_le_bytes(*size.first_chunk()?)),
            _ => u64::from_le_bytes(*size.first_chunk()?),
        }
    };
    Some(usize::try_from(wide).unwrap_or(usize::MAX))
}

/// The length of a dictionary's id by a frame's flags.
fn dictionary(flags: u8) -> usize {
    match flags & 3 {
        3 => 4,
        other => usize::from(other),
    }
}

/// The length of the frame header that begins like this (RFC 8878, section 3.1.1.1).
fn header(held: &[u8]) -> Result<usize, Error> {
    let Some((magic, rest)) = held.split_first_chunk::<4>() else {
        return Ok(4);
    };
    match u32::from_le_bytes(*magic) {
        MAGIC => {}
        magic if SKIPPED.contains(&magic) => return Ok(8),
        _ => return Err(Error::Malformed),
    }
    let Some(flags) = rest.first() else {
        return Ok(5);
    };
    let single = flags & 0x20 != 0;
    let dictionary = dictionary(*flags);
    let size = match flags >> 6 {
        0 => usize::from(single),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    Ok(5 + usize::from(!single) + dictionary + size)
}

/// The length of the block that begins like this, with the checksum behind the last one.
fn block(held: &[u8], sum: bool) -> Result<usize, Error> {
    let Some([a, b, c]) = held.first_chunk::<3>() else {
        return Ok(3);
    };
    let bits = u32::from_le_bytes([*a, *b, *c, 0]);
    let size = usize::try_from(bits >> 3).unwrap_or(usize::MAX);
    if size > MAX_BLOCK_BYTES {
        return Err(Error::Malformed);
    }
    let content = match (bits >> 1) & 3 {
        // One byte that is repeated.
        1 => 1,
        0 | 2 => size,
        _ => return Err(Error::Malformed),
    };
    let last = bits & 1 != 0;
    Ok(3 + content + if last && sum { 4 } else { 0 })
}
