//! Frames: a length of 4 bytes, and so many bytes.

use std::io::{self, Read, Write};

use super::MAX_BATCH_BYTES;

/// A frame's head.
pub(super) fn head(bytes: usize) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes).ok();
    let length = length.filter(|_| bytes <= MAX_BATCH_BYTES);
    length.map(u32::to_be_bytes).ok_or_else(too_long)
}

/// How many bytes follow a head.
pub(super) fn length(head: [u8; 4]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_be_bytes(head)).ok();
    let length = length.filter(|length| *length <= MAX_BATCH_BYTES);
    length.ok_or_else(too_long)
}

fn too_long() -> io::Error {
    io::Error::other(format!("expected at most {MAX_BATCH_BYTES} bytes"))
}

/// Writes a frame.
pub(super) fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&head(bytes.len())?)?;
    to.write_all(bytes)
}

/// Reads a frame.
pub(super) fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let length = length(head)?;
    let mut bytes = Vec::new();
    let wanted = u64::try_from(length).unwrap_or(u64::MAX);
    from.take(wanted).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}
