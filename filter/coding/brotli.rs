//! Brotli.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::allowance::Allowance;
use super::error::Error;
use super::window::MAX_WINDOW_BYTES;

type BrotliDecoder = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// Decodes brotli.
pub(super) struct Brotli {
    state: Box<BrotliDecoder>,
    begun: bool,
    /// The last call filled its buffer, so there may be more.
    more: bool,
    over: bool,
}

impl core::fmt::Debug for Brotli {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Brotli")
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl Default for Brotli {
    fn default() -> Self {
        // The strict state knows no windows beyond those of RFC 7932.
        let state = BrotliDecoder::new_strict(
            StandardAlloc::default(),
            StandardAlloc::default(),
            StandardAlloc::default(),
        );
        Self {
            state: Box::new(state),
            begun: false,
            more: false,
            over: false,
        }
    }
}

impl Brotli {
    pub(super) fn is_whole(&self) -> bool {
        self.over
    }

    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        allowance: &mut dyn Allowance,
    ) -> Result<usize, Error> {
        if !self.begun {
            let Some(first) = input.first() else {
                return Ok(0);
            };
            let window = window(*first).filter(|window| *window <= MAX_WINDOW_BYTES);
            if !allowance.resize(bytes_held(window.ok_or(Error::TooLarge)?)) {
                return Err(Error::NoRoom);
            }
            self.begun = true;
        }
        while !self.over && (self.more || !input.is_empty()) {
            let (mut left, mut taken) = (input.len(), 0);
            let (mut room, mut written) = (out.len(), 0);
            let mut total = 0;
            let result = BrotliDecompressStream(
                &mut left,
                &mut taken,
                input,
                &mut room,
                &mut written,
                out,
                &mut total,
                &mut self.state,
            );
            *input = input.get(taken..).unwrap_or_default();
            self.more = matches!(result, BrotliResult::NeedsMoreOutput);
            match result {
                BrotliResult::ResultSuccess => self.over = true,
                BrotliResult::ResultFailure => return Err(Error::Malformed),
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        if self.over && !input.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(0)
    }
}

/// Three groups of at most 256 prefix codes, each of a table of at most 1080 entries of 4 bytes,
/// besides maps and the state itself.
const TABLES_BYTES: usize = 4 * 1024 * 1024;

/// The most that is held of a stream with this window. The window is allocated in powers of two as
/// it fills, so while one is copied, the half of it is there as well.
pub(super) const fn bytes_held(window: usize) -> usize {
    window + window / 2 + TABLES_BYTES
}

/// The window that a stream's first byte asks for (RFC 7932, section 9.1).
fn window(first: u8) -> Option<usize> {
    let bits = match (first & 1, (first >> 1) & 7, (first >> 4) & 7) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        // Not in the RFC: a larger window than any there.
        (_, 0, 1) => return None,
        (_, 0, bits) => 8 + bits,
        (_, bits, _) => 17 + bits,
    };
    Some(1 << bits)
}
