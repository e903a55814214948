//! Unary gRPC over HTTP/2: one message a frame, five bytes in front of it.

use base::wire;

/// A gRPC status other than OK (<https://grpc.io/docs/guides/status-codes/>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcStatus(pub u32);

impl GrpcStatus {
    /// What an answer without a status of its own counts as: the other side is no gRPC server.
    pub const UNKNOWN: Self = Self(2);
}

/// Puts a message into a frame; `None` for one of more than 4 GiB.
#[must_use]
pub fn frame(message: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(message.len()).ok()?;
    let mut frame = Vec::with_capacity(message.len().saturating_add(5));
    frame.push(0);
    frame.extend(length.to_be_bytes());
    frame.extend_from_slice(message);
    Some(frame)
}

/// The message in a body of one frame. An error is the status that was sent, or
/// [`GrpcStatus::UNKNOWN`] for a body that isn't one uncompressed frame.
///
/// # Errors
/// Every status but OK.
pub fn unframe<'a>(status: Option<&[u8]>, body: &'a [u8]) -> Result<&'a [u8], GrpcStatus> {
    let status = status
        .and_then(|text| core::str::from_utf8(text).ok())
        .and_then(|text| text.trim().parse().ok())
        .ok_or(GrpcStatus::UNKNOWN)?;
    if status != 0 {
        return Err(GrpcStatus(status));
    }
    let mut rest = body;
    match wire::frame(&mut rest) {
        Ok((false, message)) if rest.is_empty() => Ok(message),
        _ => Err(GrpcStatus::UNKNOWN),
    }
}
