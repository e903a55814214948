//! Content codings (RFC 9110, section 8.4.1) undone piece by piece, within bounds.
//!
//! The bytes come from a model server and are hostile: what is decoded is bounded by a total and,
//! once there is more than a little of it, by a ratio to what came; and a stream that asks for a
//! window of more than 8 MiB is refused. A decoder holds at most ([`Coding::most_bytes`]):
//!
//! | coding | bytes |
//! |---|---|
//! | gzip, deflate | 64 KiB: deflate's window of 32 KiB and its tables |
//! | br | 16 MiB at the worst: the window, which grows with what is decoded (and is copied as it does), and the tables |
//! | zstd | 16 MiB at the worst: the same, and one block as it came |
//!
//! How large the window is, the stream says at its beginning; an [`Allowance`] is told what is needed
//! then, before it is allocated.
//!
//! # What it can't
//! - zstd's decoder gives out what has left its window, and the rest at the frame's end: it
//!   decodes correctly, but with a delay: a small stream comes out at its end.
//! - The checksum at the end of a zstd frame is not verified; gzip's and zlib's are.
//! - Dictionaries that were agreed on elsewhere (`dcb`, `dcz`) are not known.

mod allowance;
mod brotli;
mod crc;
mod decoder;
mod error;
mod gzip;
mod inflate;
mod window;
mod zstd;

#[cfg(test)]
mod tests;

pub use allowance::Allowance;
pub use crc::Crc;
pub use decoder::{BUFFER_BYTES, Coding, Decoder, whole};
pub use error::{Error, Unknown};
