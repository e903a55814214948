//! Gzip: one member or several, each a header, deflate, and a checksum.
//!
//! The envelope is read here and not by a crate: those at hand read from and write to streams of
//! their own, bound no header, and don't tell a body that ends between two members from one that
//! is cut off. The checksum that goes with it is thirty lines.

use miniz_oxide::DataFormat;

use super::crc::Crc;
use super::error::Error;
use super::inflate::Inflate;

/// The longest header of a member: it can hold a file's name and a comment.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// The part of a member that is read next.
#[derive(Debug)]
enum MemberPart {
    /// The ten fixed bytes of the header, as far as they have come.
    Fixed(Vec<u8>),
    /// The length of the extra field, by its two bytes.
    ExtraLength(Option<u8>),
    /// So many bytes of the extra field.
    Extra(u16),
    /// A name or comment, up to its zero.
    Text,
    /// So many bytes of the header's checksum.
    HeaderSum(u8),
    Body(Box<Inflate>),
    /// The checksum and the length behind the body.
    End(Vec<u8>),
}

/// Decodes gzip.
#[derive(Debug)]
pub(super) struct Gzip {
    state: MemberPart,
    /// What the header still has, as its flags say.
    flags: u8,
    header: usize,
    sum: Crc,
    /// The member's length, as it is counted: by 32 bits.
    length: u32,
    /// A member has been read.
    whole: bool,
}

const HEADER_SUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xE0;

impl Default for Gzip {
    fn default() -> Self {
        Self {
            state: MemberPart::Fixed(Vec::new()),
            flags: 0,
            header: 0,
            sum: Crc::default(),
            length: 0,
            whole: false,
        }
    }
}

impl Gzip {
    pub(super) fn is_whole(&self) -> bool {
        self.whole && matches!(&self.state, MemberPart::Fixed(bytes) if bytes.is_empty())
    }

    pub(super) fn read(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, Error> {
        loop {
            if let MemberPart::Body(stream) = &mut self.state {
                let written = stream.read(input, out)?;
                let new = out.get(..written).unwrap_or_default();
                self.sum.add(new);
                self.length = self
                    .length
                    .wrapping_add(u32::try_from(written).unwrap_or(u32::MAX));
                if stream.is_over() {
                    self.state = MemberPart::End(Vec::new());
                }
                if written > 0 || (input.is_empty() && matches!(self.state, MemberPart::Body(_))) {
                    return Ok(written);
                }
                continue;
            }
            let Some((byte, rest)) = input.split_first() else {
                return Ok(0);
            };
            *input = rest;
            self.byte(*byte)?;
        }
    }

    /// Takes a byte of the header or of what is behind the body.
    fn byte(&mut self, byte: u8) -> Result<(), Error> {
        self.header += 1;
        if self.header > MAX_HEADER_BYTES {
            return Err(Error::TooLarge);
        }
        match &mut self.state {
            MemberPart::Fixed(bytes) => {
                bytes.push(byte);
                match bytes.as_slice() {
                    [0x1F] | [0x1F, 0x8B] | [0x1F, 0x8B, 8] => {}
                    [0x1F, 0x8B, 8, flags, _, _, _, _, _, _] => {
                        self.flags = *flags;
                        self.after_header();
                    }
                    [0x1F, 0x8B, 8, flags, ..] if flags & RESERVED == 0 => {}
                    _ => return Err(Error::Malformed),
                }
            }
            MemberPart::ExtraLength(low @ None) => *low = Some(byte),
            MemberPart::ExtraLength(Some(low)) => {
                match u16::from_le_bytes([*low, byte]) {
                    0 => self.after_header(),
                    length => self.state = MemberPart::Extra(length),
                };
            }
            MemberPart::Extra(left) => {
                *left -= 1;
                if *left == 0 {
                    self.after_header();
                }
            }
            MemberPart::Text => {
                if byte == 0 {
                    self.after_header();
                }
            }
            MemberPart::HeaderSum(left) => {
                *left -= 1;
                if *left == 0 {
                    self.after_header();
                }
            }
            MemberPart::Body(_) => {}
            MemberPart::End(bytes) => {
                bytes.push(byte);
                if let Some((sum, length)) = bytes.split_first_chunk::<4>()
                    && let Some(length) = length.first_chunk::<4>()
                {
                    if u32::from_le_bytes(*sum) != self.sum.value()
                        || u32::from_le_bytes(*length) != self.length
                    {
                        return Err(Error::Malformed);
                    }
                    *self = Self {
                        whole: true,
                        ..Self::default()
                    };
                }
            }
        }
        Ok(())
    }

    /// What comes next of the header, in its order, or the body.
    fn after_header(&mut self) {
        let mut has = |flag: u8| {
            let has = self.flags & flag != 0;
            self.flags &= !flag;
            has
        };
        self.state = if has(EXTRA) {
            MemberPart::ExtraLength(None)
        } else if has(NAME) || has(COMMENT) {
            MemberPart::Text
        } else if has(HEADER_SUM) {
            MemberPart::HeaderSum(2)
        } else {
            self.header = 0;
            MemberPart::Body(Box::new(Inflate::new(DataFormat::Raw)))
        };
    }
}
