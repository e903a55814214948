//! Vendors' APIs: which routes a server has, what can be told from the bodies that it takes, and how
//! its clients want errors. Each has a folder of its own:
//!
//! | dialect | servers |
//! |---|---|
//! | `openai` | openai.com, vLLM, and whoever speaks like them |
//! | `kserve` | KServe V2 and Triton, over HTTP |
//! | `grpc` | the same over gRPC |
//!
//! To add one, make a folder with `routes.txt` and a `mod.rs` that has its [`Dialect`] and the bodies
//! that its routes name, and say `mod` here; `build.rs` finds the routes.
//!
//! How streams of answers go on is not asked here: masking knows them by their shape, whoever sends
//! them (`mask/formats/stream_event`).

mod body;
mod catalog;
mod facts;
mod json;

mod grpc;
mod kserve;
mod openai;

#[cfg(test)]
mod tests;

use base::code::Code;
use core::fmt;

pub use body::{Body, GrpcBody, STREAMED};
pub use catalog::{Route, find, is_weights};
pub use facts::{Facts, FactsError};
pub use grpc::DIALECT as GRPC;
pub use json::JsonBody;
pub use openai::DIALECT as OPENAI;

/// How the clients of a server want to be spoken to.
pub struct Dialect {
    /// Its name; no two have the same.
    pub name: &'static str,
    /// Writes an error so that the clients' libraries raise their own exceptions.
    pub error: fn(&ApiError<'_>) -> Written,
}

/// Why a request or an answer ends at the filter.
#[derive(Clone, Copy, Debug)]
pub struct ApiError<'a> {
    /// The HTTP status.
    pub status: u16,
    /// One word that says why.
    pub code: Code,
    /// A sentence for people.
    pub message: &'a str,
}

/// An error as a client reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What the body is; nothing where Envoy makes something else of it.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: String,
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}

impl fmt::Debug for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}
