//! How a body carries text.

pub use base::shape::GrpcMessage;

use super::boundary::Boundary;
use super::layout::Layout;
use super::octets::Octets;
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
    /// Messages of AWS's event streams (`application/vnd.amazon.eventstream`), as Bedrock and
    /// SageMaker send them. The texts of a model's answer go on from message to message.
    AmazonEvents,
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

/// What is known of a body besides its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// The most bytes of an event, a line or a chunk.
    pub most: usize,
    /// The most bytes of an answer that are held before any of it is written, in a body of
    /// [`Format::Tensors`].
    pub most_held: usize,
    /// What stands where in the JSON of its dialect, if that is known.
    pub layout: Option<&'static Layout>,
    /// How compressed messages are, as far as that is known.
    pub compression: Option<Coding>,
    /// Whether the body's last frame holds its trailers, as in gRPC-Web.
    pub web: bool,
    /// How the body carries text that goes in pieces through the messages of an
    /// [`Format::AmazonEvents`], as far as that is known.
    pub payload: Option<Format>,
    /// Whether parts of any type pass that can't be read as text, whatever the mask says of that
    /// type.
    pub opaque_parts: bool,
    /// What is known of parts whose media type says nothing.
    pub octets: Octets,
}

/// The most bytes of an event, a line or a chunk, unless something else is said. A picture may be in
/// one.
pub const USUAL_ENTRY_BYTES: usize = 4 << 20;

/// The most of an answer that is held before any of it is written, unless something else is said: Envoy
/// holds as much of a body behind a head that waits.
pub const USUAL_HELD_BYTES: usize = 1 << 20;

impl Default for Framing {
    fn default() -> Self {
        Self {
            most: USUAL_ENTRY_BYTES,
            most_held: USUAL_HELD_BYTES,
            layout: None,
            compression: None,
            web: false,
            payload: None,
            opaque_parts: false,
            octets: Octets::NONE,
        }
    }
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
