//! How a body carries text.

pub use base::shape::GrpcMessage;

use super::boundary::Boundary;
use coding::Coding;

/// How a body carries text; chosen from its content type and the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON (RFC 8259), one value or several one after another. Each string is a text of its own,
    /// but in the array of chunks as which Gemini streams: there, texts go on from chunk to chunk.
    Json,
    /// An event stream (WHATWG HTML, "Server-sent events"). The texts of a model's answer go on
    /// from event to event.
    Events,
    /// JSON lines (`application/x-ndjson`) whose texts go on from line to line as in an event
    /// stream. A line may not be longer than an event.
    Lines,
    /// The whole body is one text.
    Text,
    /// HTML: what stands between tags, and what attributes say, are texts.
    Html,
    /// XML, likewise.
    Xml,
    /// Parts of their own media types.
    Multipart(Boundary),
    /// gRPC messages of one type.
    Grpc(GrpcMessage),
    /// KServe V2's JSON, with the bytes of tensors behind it. Each element of those that are text is a
    /// text of its own, and numbers pass.
    Tensors(TensorFrame),
    /// The value of a trailer.
    Trailer(Trailer),
}

/// What is known of a body with tensors behind its JSON before any of it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorFrame {
    /// How many bytes of JSON there are, as its head says.
    pub json_bytes: usize,
    /// Which tensors stand behind it.
    pub list: TensorList,
}

/// Which tensors of a body are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorList {
    /// Those of a request.
    Inputs,
    /// Those of an answer.
    Outputs,
}

/// What a body's head says of its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Framing {
    /// How compressed messages are, as far as that is known.
    pub compression: Option<Coding>,
    /// Whether the body's last frame holds its trailers, as in gRPC-Web.
    pub web: bool,
}

/// How a trailer's value carries text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailer {
    /// `grpc-message`: percent-encoded.
    Message,
    /// `grpc-status-details-bin`: a `google.rpc.Status` in base64.
    Details,
    /// Others whose names end with `-bin`: bytes in base64, several with commas between them.
    Binary,
    /// As it is.
    Text,
}

impl Trailer {
    /// What a trailer of this name, in lower case, has.
    #[must_use]
    pub fn named(name: &[u8]) -> Self {
        match name {
            b"grpc-message" => Self::Message,
            b"grpc-status-details-bin" => Self::Details,
            name if name.ends_with(b"-bin") => Self::Binary,
            _ => Self::Text,
        }
    }
}
