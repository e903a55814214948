//! Decodes a stream in whichever coding, within bounds.

use super::allowance::{Allowance, Unbounded};
use super::brotli::{self, Brotli};
use super::error::{Error, Unknown};
use super::gzip::Gzip;
use super::inflate::{self, Deflate};
use super::window::MAX_WINDOW_BYTES;
use super::zstd::{self, Zstd};

/// This many bytes may be decoded however few came; beyond that, [`MAX_RATIO`] applies.
const ALWAYS_DECODED_BYTES: u64 = 1024 * 1024;
/// How many times longer the decoded bytes may be than what came. Text reaches 20, an embedding of
/// zeros some hundreds.
const MAX_RATIO: u64 = 400;
/// The most bytes that are decoded in all.
const MAX_DECODED_BYTES: u64 = 64 * 1024 * 1024;

/// A good length for the buffer that is decoded into.
pub const BUFFER_BYTES: usize = 16 * 1024;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// Zlib's format (RFC 1950); bare deflate (RFC 1951) is read too, since some servers send it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The coding of this name, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        const NAMES: [(&[u8], Coding); 5] = [
            (b"gzip", Coding::Gzip),
            (b"x-gzip", Coding::Gzip),
            (b"deflate", Coding::Deflate),
            (b"br", Coding::Brotli),
            (b"zstd", Coding::Zstd),
        ];
        NAMES
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
            .map(|(_, coding)| *coding)
    }

    /// The coding that the values of `content-encoding` name, if they name one. Several on top of each
    /// other are refused: nobody has a reason for that.
    ///
    /// # Errors
    /// What they name can't be undone.
    pub fn applied<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<Self>, Unknown> {
        let mut names = values
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
        match (names.next(), names.next()) {
            (None, _) => Ok(None),
            (Some(name), None) => Self::named(name).map(Some).ok_or(Unknown),
            (Some(_), Some(_)) => Err(Unknown),
        }
    }

    /// The most that a decoder of this coding ever holds, in bytes.
    #[must_use]
    pub fn most_bytes(self) -> usize {
        match self {
            Self::Gzip | Self::Deflate => inflate::MAX_BYTES,
            Self::Brotli => brotli::bytes_held(MAX_WINDOW_BYTES),
            Self::Zstd => zstd::bytes_held(MAX_WINDOW_BYTES),
        }
    }
}

/// Decodes one stream.
#[derive(Debug)]
pub struct Decoder {
    kind: Kind,
    taken: u64,
    given: u64,
    most: u64,
    allowance: Box<dyn Allowance>,
    failed: Option<Error>,
}

#[derive(Debug)]
enum Kind {
    Gzip(Box<Gzip>),
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Decoder {
    /// A decoder of a stream that has not begun.
    pub fn new(coding: Coding) -> Self {
        Self::within(coding, Box::new(Unbounded))
    }

    /// As [`Self::new`], holding no more than is allowed. The allowance is that of
    /// [`Coding::most_bytes`]; it is lowered once it is known how much the stream needs.
    pub fn within(coding: Coding, allowance: Box<dyn Allowance>) -> Self {
        Self {
            allowance,
            ..Self::with_most(coding, MAX_DECODED_BYTES)
        }
    }

    /// As [`Self::new`], with another bound on the decoded size.
    pub fn with_most(coding: Coding, most: u64) -> Self {
        Self {
            kind: match coding {
                Coding::Gzip => Kind::Gzip(Box::default()),
                Coding::Deflate => Kind::Deflate(Box::default()),
                Coding::Brotli => Kind::Brotli(Box::default()),
                Coding::Zstd => Kind::Zstd(Box::default()),
            },
            taken: 0,
            given: 0,
            most,
            allowance: Box::new(Unbounded),
            failed: None,
        }
    }

    /// Decodes into `out`, takes what was read off the front of `input`, and says how much was
    /// written. Nothing written means that all of `input` is taken and more is needed.
    ///
    /// # Errors
    /// The stream can't be decoded any further; every call from now on says the same.
    pub fn read(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let read = self.attempt(input, out);
        self.failed = read.err();
        read
    }

    fn attempt(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, Error> {
        let before = input.len();
        let allowance = &mut *self.allowance;
        let written = match &mut self.kind {
            Kind::Gzip(gzip) => gzip.read(input, out),
            Kind::Deflate(deflate) => deflate.read(input, out),
            Kind::Brotli(brotli) => brotli.read(input, out, allowance),
            Kind::Zstd(zstd) => zstd.read(input, out, allowance),
        }?;
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        self.taken = self
            .taken
            .saturating_add(count(before.saturating_sub(input.len())));
        self.given = self.given.saturating_add(count(written));
        let by_ratio = self
            .taken
            .saturating_mul(MAX_RATIO)
            .max(ALWAYS_DECODED_BYTES);
        if self.given > self.most.min(by_ratio) {
            return Err(Error::TooLarge);
        }
        Ok(written)
    }

    /// The stream ends here.
    ///
    /// # Errors
    /// It is not whole.
    pub fn finish(&self) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let whole = match &self.kind {
            Kind::Gzip(gzip) => gzip.is_whole(),
            Kind::Deflate(deflate) => deflate.is_whole(),
            Kind::Brotli(brotli) => brotli.is_whole(),
            Kind::Zstd(zstd) => zstd.is_whole(),
        };
        // No bytes at all are no body, as of an answer to HEAD.
        if whole || self.taken == 0 {
            Ok(())
        } else {
            Err(Error::Truncated)
        }
    }
}

/// Decodes a whole stream to at most `most` bytes.
///
/// # Errors
/// As for [`Decoder::read`] and [`Decoder::finish`].
pub fn whole(coding: Coding, mut encoded: &[u8], most: usize) -> Result<Vec<u8>, Error> {
    let mut decoder = Decoder::with_most(coding, u64::try_from(most).unwrap_or(u64::MAX));
    let mut decoded = Vec::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let written = decoder.read(&mut encoded, &mut buffer)?;
        if written == 0 {
            decoder.finish()?;
            return Ok(decoded);
        }
        decoded.extend_from_slice(buffer.get(..written).unwrap_or_default());
    }
}
