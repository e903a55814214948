//! The frame around a gRPC message.

/// The flag and the length.
pub(super) const HEADER_BYTES: usize = 5;
/// The flag of a message that is compressed, and of gRPC-Web's trailers.
pub(super) const COMPRESSED: u8 = 1;
pub(super) const TRAILERS: u8 = 0x80;

/// The message in a frame with this flag; none for a message that is too long for one.
pub(super) fn framed(flag: u8, message: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(message.len()).ok()?;
    let mut frame = Vec::with_capacity(HEADER_BYTES + message.len());
    frame.push(flag);
    frame.extend(length.to_be_bytes());
    frame.extend_from_slice(message);
    Some(frame)
}
