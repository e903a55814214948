//! How far back a stream may refer.

/// The largest window, in bytes: what a decoder of zstd in HTTP has to take (RFC 9659).
pub(super) const MAX_WINDOW_BYTES: usize = 8 * 1024 * 1024;
