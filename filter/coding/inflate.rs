//! Deflate, bare and in zlib's envelope.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::error::Error;

/// The most that is held of a stream: a window of 32 KiB, three tables of codes, and what has come
/// of an envelope.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// Decodes one stream of deflate in some envelope.
pub(super) struct Inflate {
    state: Box<InflateState>,
    /// The last call filled its buffer, so there may be more.
    more: bool,
    over: bool,
}

impl core::fmt::Debug for Inflate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inflate")
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl Inflate {
    pub(super) fn new(format: DataFormat) -> Self {
        Self {
            state: InflateState::new_boxed(format),
            more: false,
            over: false,
        }
    }

    /// Whether the stream's end was read.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// As [`super::Decoder::read`], up to the stream's end.
    pub(super) fn read(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, Error> {
        while !self.over && (self.more || !input.is_empty()) {
            let result = inflate(&mut self.state, input, out, MZFlush::None);
            *input = input.get(result.bytes_consumed..).unwrap_or_default();
            self.more = result.bytes_written == out.len();
            match result.status {
                Ok(MZStatus::StreamEnd) => self.over = true,
                Ok(_) => {}
                // Nothing more can be done without input.
                Err(MZError::Buf) if input.is_empty() => self.more = false,
                Err(_) => return Err(Error::Malformed),
            }
            if result.bytes_written > 0 {
                return Ok(result.bytes_written);
            }
        }
        Ok(0)
    }
}

/// The content coding `deflate`.
#[derive(Debug, Default)]
pub(super) struct Deflate {
    /// The first byte, until the second has come.
    first: Option<u8>,
    stream: Option<Inflate>,
}

impl Deflate {
    pub(super) fn is_whole(&self) -> bool {
        self.stream.as_ref().is_some_and(Inflate::is_over)
    }

    pub(super) fn read(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, Error> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let (first, second) = match (self.first, *input) {
                    (_, []) => return Ok(0),
                    (None, [first]) => {
                        self.first = Some(*first);
                        *input = &[];
                        return Ok(0);
                    }
                    (None, [first, second, ..]) => (*first, *second),
                    (Some(first), [second, ..]) => (first, *second),
                };
                // Zlib's two bytes name the method and are a multiple of 31.
                let zlib = first & 0x0F == 8 && u16::from_be_bytes([first, second]) % 31 == 0;
                let format = if zlib {
                    DataFormat::Zlib
                } else {
                    DataFormat::Raw
                };
                let mut stream = Inflate::new(format);
                if let Some(held) = self.first.take() {
                    let mut held: &[u8] = &[held];
                    // One byte holds no text yet.
                    if stream.read(&mut held, out)? > 0 {
                        return Err(Error::Malformed);
                    }
                }
                self.stream.insert(stream)
            }
        };
        let written = stream.read(input, out)?;
        if stream.is_over() && !input.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(written)
    }
}
