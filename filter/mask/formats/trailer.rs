//! Values of trailers, and of the headers that stand in for them where an answer has no body.
//!
//! A gRPC answer ends with its status: a message, whose bytes are percent-encoded where they are
//! not printable ASCII, and details, which are a `google.rpc.Status` in base64. Servers put into
//! both what they were asked, so both are texts. A value is held whole: the host does not give it
//! in pieces either. Where nothing in it is replaced, it stays as it came.
//!
//! # What it can't
//! - Details that are not base64, or not a message, can't be read: that is an error, for whoever
//!   sends them on to leave them out. Of other values in base64 (`-bin`), what is no message is
//!   taken for text.
//! - What is spread over several trailers is not seen.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::alphabet::STANDARD;

use super::WalkError;
use super::base64::{coder, plain};
use super::entry_writer::EntryWriter;
use super::findings::Findings;
use super::format::Trailer;
use super::grpc::Any;
use super::texts::Texts;
use super::walk::{Job, Walk};
use crate::CompiledMask;

/// The longest value. Envoy takes no longer ones either, unless told to.
const MAX_TRAILER_BYTES: usize = 1024 * 1024;

/// Masks one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    trailer: Trailer,
    value: Vec<u8>,
}

impl Walk for Value {
    fn push(&mut self, piece: &[u8], _job: &mut Job<'_>) -> Result<(), WalkError> {
        if self.value.len() + piece.len() > MAX_TRAILER_BYTES {
            return Err(WalkError::TooLarge);
        }
        self.value.extend_from_slice(piece);
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let value = std::mem::take(&mut self.value);
        let masked = masked_value(self.trailer, job.mask, &value, job.found)?;
        job.out.extend(masked.unwrap_or(value));
        Ok(())
    }

    fn held(&self) -> usize {
        self.value.len()
    }
}

impl Value {
    pub(super) fn new(trailer: Trailer) -> Self {
        Self {
            trailer,
            value: Vec::new(),
        }
    }
}

/// What becomes of a value in which something is replaced.
///
/// # Errors
/// It is a status that can't be read.
pub(super) fn masked_value(
    trailer: Trailer,
    mask: &CompiledMask,
    value: &[u8],
    found: &mut Findings,
) -> Result<Option<Vec<u8>>, WalkError> {
    Ok(match trailer {
        Trailer::Message => {
            let text = decoded(value);
            let masked = plain(mask.matcher(), &text, found);
            (masked != text).then(|| encoded(&masked))
        }
        Trailer::Text => {
            let masked = plain(mask.matcher(), value, found);
            (masked != value).then(|| line(&masked))
        }
        Trailer::Details | Trailer::Binary => {
            let mut changed = false;
            let mut parts = Vec::new();
            for part in value.split(|byte| *byte == b',') {
                let masked = match bytes(part.trim_ascii()) {
                    Some(bytes) => binary(trailer, mask, &bytes, found)?
                        .map(|masked| coder(&STANDARD, part.ends_with(b"=")).encode(masked)),
                    None if trailer == Trailer::Details => return Err(WalkError::Malformed),
                    None => {
                        let masked = plain(mask.matcher(), part, found);
                        (masked != part).then(|| String::from_utf8_lossy(&line(&masked)).into())
                    }
                };
                changed |= masked.is_some();
                parts.push(masked.map_or_else(|| part.to_vec(), String::into_bytes));
            }
            changed.then(|| parts.join(&b','))
        }
    })
}

/// What becomes of bytes in which something is replaced.
fn binary(
    trailer: Trailer,
    mask: &CompiledMask,
    bytes: &[u8],
    found: &mut Findings,
) -> Result<Option<Vec<u8>>, WalkError> {
    let masked = match trailer {
        Trailer::Details => message(mask, bytes, found)?,
        _ if is_line(bytes) => plain(mask.matcher(), bytes, found),
        _ => match message(mask, bytes, found) {
            Ok(masked) => masked,
            Err(_) => plain(mask.matcher(), bytes, found),
        },
    };
    Ok((masked != bytes).then_some(masked))
}

fn message(mask: &CompiledMask, bytes: &[u8], found: &mut Findings) -> Result<Vec<u8>, WalkError> {
    let message = Any::read(bytes, (0, bytes.len()), mask.matcher())?;
    let mut texts = Texts::default();
    let mut writer = EntryWriter::new(&mut texts, mask, found, bytes);
    message.feed(&mut writer);
    writer.end();
    let mut out = Vec::with_capacity(bytes.len());
    texts.finish(mask, found, |_| true);
    texts.release(mask, found, &mut out);
    Ok(out)
}

/// Base64 with or without what fills it up.
fn bytes(value: &[u8]) -> Option<Vec<u8>> {
    coder(&STANDARD, false).decode(value).ok()
}

/// Whether the bytes could be a line of text, or several.
fn is_line(bytes: &[u8]) -> bool {
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    !bytes.iter().any(control) && std::str::from_utf8(bytes).is_ok()
}

/// Undoes percent-encoding. What is not a valid escape stands for itself.
fn decoded(value: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, later)) = rest.split_first() {
        let escaped = match (first, later) {
            (b'%', [high, low, ..]) => digit(high).zip(digit(low)),
            _ => None,
        };
        let byte = escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        text.push(byte.unwrap_or(*first));
        rest = match byte {
            Some(_) => later.get(2..).unwrap_or_default(),
            None => later,
        };
    }
    text
}

/// The text with percent-encoding (gRPC over HTTP/2, "Responses"). So are blanks at its ends, which
/// a value of a header has not.
fn encoded(text: &[u8]) -> Vec<u8> {
    let last = text.len().saturating_sub(1);
    let mut value = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        let end = at == 0 || at == last;
        match byte {
            b' ' if !end => value.push(b' '),
            b'!'..=b'~' if *byte != b'%' => value.push(*byte),
            _ => value.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    value
}

/// The text as a header may have it.
fn line(text: &[u8]) -> Vec<u8> {
    let blank = |byte: &u8| if byte.is_ascii_control() { b' ' } else { *byte };
    let value: Vec<u8> = text.iter().map(blank).collect();
    value.trim_ascii().to_vec()
}
