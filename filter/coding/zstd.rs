//! Zstandard: frames of blocks, and frames to be skipped.
//!
//! The decoder behind it wants whole headers and whole blocks, so both are held until they are
//! there; how long they are is read here.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::io::Read;

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
        }
    }
}

impl Zstd {
    pub(super) fn is_whole(&self) -> bool {
        self.whole && self.state == NextPart::Header && self.held.is_empty()
    }

    pub(super) fn read(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, Error> {
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
                self.end_held()?;
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
    fn end_held(&mut self) -> Result<(), Error> {
        let held = core::mem::take(&mut self.held);
        match self.state {
            NextPart::Header | NextPart::Skip(_) => {
                let (magic, rest) = held.split_first_chunk::<4>().ok_or(Error::Malformed)?;
                if SKIPPED.contains(&u32::from_le_bytes(*magic)) {
                    let length = rest.first_chunk::<4>().ok_or(Error::Malformed)?;
                    self.state = NextPart::Skip(u32::from_le_bytes(*length));
                    return Ok(());
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
    let dictionary = match flags & 3 {
        3 => 4,
        other => usize::from(other),
    };
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
