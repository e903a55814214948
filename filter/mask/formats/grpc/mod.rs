//! gRPC bodies: messages, each with a flag and its length in front.
//!
//! A message is held until it is complete, since its length comes first, and then until its texts
//! are decided. In a stream the text of an output's element goes on from message to message; what
//! matches over several is written in the one where it begins.
//!
//! A compressed message is decompressed, and sent on as it is then. The frame that ends a body of
//! gRPC-Web holds its trailers.

mod any;
mod body;
mod fields;
mod frame;
mod message;
mod trailers;

#[cfg(test)]
mod tests;

pub(super) use any::Any;
pub(super) use body::Grpc;
