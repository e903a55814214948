//! What can be told from the bodies that a route takes.

use base::shape::GrpcMessage;

use super::facts::{Facts, FactsError};
use super::json::{self, JsonBody};

/// What of a request's body a decision can be taken from.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// JSON whose members say how much is asked for; every string in it may be a prompt.
    Json(&'static JsonBody),
    /// JSON or nothing at all; every string in it may be a prompt.
    Texts,
    /// One message of gRPC.
    Grpc(&'static GrpcBody),
    /// Messages of gRPC that come until its client has had enough: the end may never come. This is
    /// what the answer's messages are.
    GrpcStream(GrpcMessage),
    /// Nothing: uploads, and requests without a body.
    Opaque,
}

/// Takes the facts from one framed message, and hands over each text that may reach the model.
pub type TakeGrpc = fn(&[u8], &mut dyn FnMut(&str)) -> Result<Facts, FactsError>;

/// What is said of a request whose body is a stream.
pub const STREAMED: &str = "A streamed request can't be judged by its body.";

/// A gRPC method's messages.
#[derive(Debug)]
pub struct GrpcBody {
    /// Takes the facts; nothing can be told without it.
    pub take: Option<TakeGrpc>,
    /// What the request's messages are.
    pub request: GrpcMessage,
    /// What the answer's messages are.
    pub answer: GrpcMessage,
}

impl Body {
    /// Takes the facts from a whole body, and hands over each text that may reach the model. Neither
    /// the texts nor a tree of the body are kept: beside the body itself, that takes at most as much
    /// memory again as the body has bytes.
    ///
    /// # Errors
    /// A body that isn't strict JSON, or whose members are not what the route takes: what can't be
    /// read with certainty is not passed to a server that may read it in another way.
    pub fn take(self, body: &[u8], texts: &mut dyn FnMut(&str)) -> Result<Facts, FactsError> {
        const TEXTS: JsonBody = JsonBody {
            choices: &[],
            input: None,
            tensors: None,
        };
        let nothing = Facts {
            items: 1,
            ..Facts::default()
        };
        match self {
            Self::Opaque => Ok(nothing),
            Self::Texts if body.is_empty() => Ok(nothing),
            Self::Texts => json::take(&TEXTS, body, texts),
            Self::Json(members) => json::take(members, body, texts),
            Self::Grpc(GrpcBody {
                take: Some(take), ..
            }) => take(body, texts),
            Self::Grpc(_) => Ok(nothing),
            Self::GrpcStream(_) => Err(FactsError::NotReadable(STREAMED)),
        }
    }

    /// Whether a decision can be taken without the body: it would say nothing.
    #[must_use]
    pub fn says_nothing(self) -> bool {
        match self {
            Self::Opaque => true,
            Self::Grpc(body) => body.take.is_none(),
            Self::Json(_) | Self::Texts | Self::GrpcStream(_) => false,
        }
    }
}
