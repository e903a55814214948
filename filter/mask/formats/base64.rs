//! Text in base64, in a JSON string that is nothing else.
//!
//! Where a mask asks for it, such a string is matched as the text that it stands for, and written
//! again as base64 if something was replaced.
//!
//! # What it can't
//! - A string that is spread over several events is not read, nor one of more than
//!   [`MAX_BASE64_BYTES`] bytes, nor one with anything else in it, such as a line feed, but
//!   for the head of a data URL.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, STANDARD as STANDARD_CODER,
};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig as Config};

use super::findings::Findings;
use super::output::{Direct, Place};
use super::rewriter::{Rewriter, Work};
use super::writing::Writing;
use crate::Matcher;

/// A shorter string is taken for a word.
const MIN_BASE64_BYTES: usize = 16;
/// The longest string that is read.
pub(super) const MAX_BASE64_BYTES: usize = 256 * 1024;
/// How many codings on top of one another are undone.
const MAX_CODINGS: usize = 2;

/// Whether the byte occurs in either alphabet of base64.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// What becomes of a string, if it is base64 of text in which something is replaced.
pub(super) fn mask(matcher: &Matcher, string: &[u8], found: &mut Findings) -> Option<Vec<u8>> {
    nested(matcher, string, found, MAX_CODINGS)
}

fn nested(matcher: &Matcher, string: &[u8], found: &mut Findings, depth: usize) -> Option<Vec<u8>> {
    let lengths = MIN_BASE64_BYTES..=MAX_BASE64_BYTES;
    if !lengths.contains(&string.len()) || !string.iter().copied().all(is_base64) {
        return None;
    }
    let url = string.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if url { &URL_SAFE } else { &STANDARD };
    // Where nothing has to be filled up, the alphabet tells what its writer does.
    let padded = string.ends_with(b"=") || (!url && string.len().is_multiple_of(4));
    let text = coder(alphabet, padded).decode(string).ok()?;
    core::str::from_utf8(&text).ok()?;
    let inner = (depth > 1).then(|| nested(matcher, &text, found, depth - 1));
    let masked = match inner.flatten() {
        Some(masked) => masked,
        None => plain(matcher, &text, found),
    };
    (masked != text).then(|| coder(alphabet, padded).encode(masked).into_bytes())
}

/// The bytes that a string is the only standard coding of: padded, in one line, and without
/// bits that say nothing (RFC 4648, section 4). None for every other string.
pub(super) fn decode_standard(string: &[u8]) -> Option<Vec<u8>> {
    STANDARD_CODER.decode(string).ok()
}

/// What [`decode_standard`] undoes.
pub(super) fn standard(bytes: &[u8]) -> Vec<u8> {
    STANDARD_CODER.encode(bytes).into_bytes()
}

/// A text masked.
pub(super) fn plain(matcher: &Matcher, text: &[u8], found: &mut Findings) -> Vec<u8> {
    let mut masked = Vec::with_capacity(text.len());
    let mut rewriter = Rewriter::new(Writing::Raw);
    let work = &mut Work {
        matcher,
        out: &mut Direct(&mut masked),
        found,
    };
    rewriter.plain(text, Place::default(), work);
    rewriter.finish(work);
    masked
}

/// Reads what lenient readers read: the last bits may be anything.
pub(crate) fn coder(alphabet: &Alphabet, padded: bool) -> GeneralPurpose {
    let config: Config = GeneralPurposeConfig::new()
        .with_encode_padding(padded)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}
