//! What can be told from the body of a request, in whatever way its route writes it.
//!
//! | here | what it is |
//! |---|---|
//! | `shape` | what a dialect says of a route's bodies: how they are written, and what stands where |
//! | `place` | the tree of those places |
//! | `facts` | what is taken from a body |
//! | `json`, `fields`, `tensors`, `rpc`, `messages` | readers of JSON, forms, KServe V2's tensors, JSON-RPC, protobuf |
//! | `away` | texts that are somewhere else, of which a body has the address |
//! | `texts`, `nested` | the texts of a body, and what is inside them |
//!
//! No tree is made of a body and none of its texts are kept, but for running text, which is shown
//! once more together: that takes at most twice as much memory as the body has bytes.

mod away;
mod facts;
mod fields;
mod json;
mod messages;
mod nested;
mod place;
mod rpc;
mod shape;
mod tensors;
mod texts;

pub use facts::{Facts, FactsError, has_sound_ends};
pub use shape::{Body, BodyHead, Shape};
pub use texts::See;

pub(super) use facts::{Found, malformed};
pub(super) use place::{Places, Roles};
pub(super) use shape::{Form, GrpcShape, ModelPlace};
pub(super) use tensors::Tensor;
#[cfg(test)]
pub(super) use texts::PROBE;
pub(super) use texts::Texts;
