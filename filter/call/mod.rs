//! Requests to other clusters, over HTTP and over gRPC, and what comes of them.
//!
//! A machine says what it wants to know and what for; the host sends it, and brings the answer with
//! the same purpose and number. Envoy speaks gRPC over the same calls as HTTP, to a cluster of
//! HTTP/2: a message goes in one frame, and its status comes in the trailers.

mod grpc;

#[cfg(test)]
mod tests;

use core::time::Duration;

pub use grpc::{GrpcStatus, frame, unframe};

/// A request to another cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<Purpose> {
    /// What it is for.
    pub purpose: Purpose,
    /// Unique within the machine that calls.
    pub number: u64,
    /// The Envoy cluster.
    pub cluster: String,
    /// The `:authority`, where it isn't the one that the cluster's name gives.
    pub authority: Option<String>,
    /// What is sent.
    pub message: Message,
    /// How long the answer may take; never zero, which would be no limit at all.
    pub timeout: Duration,
    /// The most bytes that an answer's body may have; a larger answer is rejected.
    pub max_answer_bytes: usize,
}

impl<Purpose> Call<Purpose> {
    /// The `:authority`. Without one it is the cluster's name, or the end of a name that servers would refuse as a
    /// host: of Istio's `outbound|7070||desk.example`, `desk.example`.
    #[must_use]
    pub fn authority(&self) -> &str {
        if let Some(authority) = &self.authority {
            return authority;
        }
        let foreign =
            |one: char| !(one.is_ascii_alphanumeric() || matches!(one, '-' | '.' | '_' | ':'));
        match self.cluster.rsplit(foreign).next() {
            Some("") | None => "cluster",
            Some(name) => name,
        }
    }
}

/// How much it matters that a call arrives for whose answer nobody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// It is sent once.
    Once,
    /// It is sent again while the other side can't take it, for some minutes.
    UntilTaken,
}

/// What a call sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// An HTTP request.
    Http {
        /// The method.
        method: &'static str,
        /// `http` or `https`, where the other side looks at it.
        scheme: Option<&'static str>,
        /// The path with its query.
        path: String,
        /// Headers besides the pseudo-headers; values have no control characters.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// A unary gRPC call (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
    Grpc {
        /// `/package.Service/Method`.
        method: &'static str,
        /// Metadata; values have no control characters.
        metadata: Vec<(&'static str, String)>,
        /// A message of protobuf.
        message: Vec<u8>,
    },
}

impl Message {
    /// How many bytes its body has.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        match self {
            Self::Http { body, .. } => body.len(),
            Self::Grpc { message, .. } => message.len(),
        }
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It could not be sent: there is no such cluster, or it has no hosts.
    NotSent,
    /// No whole answer came in time, or it was too large.
    Failed,
    /// The answer to an HTTP request.
    Http {
        /// Its status.
        status: u16,
        /// The values of its `content-encoding`, joined by commas; empty where it has none.
        coding: &'a [u8],
        /// Its body, as it came.
        body: &'a [u8],
    },
    /// The answer to a gRPC call.
    Grpc(Result<&'a [u8], GrpcStatus>),
}

impl<'a> Answer<'a> {
    /// Status and body of an HTTP answer that is taken as it came; `None` for anything else.
    #[must_use]
    pub fn http(self) -> Option<(u16, &'a [u8])> {
        match self {
            Self::Http { status, body, .. } => Some((status, body)),
            Self::NotSent | Self::Failed | Self::Grpc(_) => None,
        }
    }
}
