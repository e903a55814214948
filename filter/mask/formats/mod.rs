//! Walkers: what of a response body is text, and what only carries it.
//!
//! Each takes a body in pieces of any size, gives the text in it to the matcher, and writes the
//! body again with what the matcher replaced. Everything else stays byte for byte.

mod base64;
mod body;
mod boundary;
mod counts;
mod entries;
mod entry_writer;
mod error;
mod escape;
mod event_template;
mod events;
mod fields;
mod findings;
mod format;
mod grammar;
mod grpc;
mod json;
mod json_array_stream;
mod lines;
mod markup;
mod media;
mod member;
mod multipart;
mod output;
mod pending_entries;
mod plain;
mod rewriter;
mod scalar;
mod stream_event;
mod texts;
mod trailer;
mod walk;
mod walker;
mod writing;

#[cfg(test)]
mod tests;

pub use boundary::Boundary;
pub use counts::Counts;
pub use error::WalkError;
pub(super) use fields::Fields;
pub use format::{Format, Framing, GrpcMessage, Trailer};
pub use media::Media;
pub use walker::Walker;
