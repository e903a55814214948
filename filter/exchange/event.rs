//! What an exchange is told, and what it answers.
//!
//! The host tells of things in the order in which they come, one at a time:
//!
//! - of each direction its head, then its body, then its trailers; of the request's body sizes
//!   until [`super::Exchange::wants_request_body`] and the body is whole, which also holds for one
//!   that was whole before it was wanted. Once [`super::Exchange::has_passed_request`], nothing
//!   more of the request has to be told;
//! - the answer to each [`Effect::Call`] once, in a callback of its own, or for a call that can't
//!   be sent in the same one, behind all effects of the outcome that wanted it;
//! - [`Event::KeysRenewed`] only after [`Effect::AwaitKeys`], and [`Event::BodyWithheld`] only
//!   while a head waits for its body;
//! - [`Event::Closed`] once, last, whatever came before. Of its outcome only [`Effect::Record`] is
//!   performed: the host takes nothing else then.
//!
//! Effects that change a direction's head come only while that head is held. An outcome with
//! [`Effect::Reply`] or [`Effect::CutResponse`] holds; a stream has one reply, and the host lets
//! nothing go behind it.

use core::time::Duration;

/// Headers as they came: names in lower case, values as bytes.
pub type Headers<'a> = [(&'a [u8], &'a [u8])];

/// Something that happened to an exchange.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The request's head came; `end` if nothing follows it.
    RequestHead {
        /// The headers, pseudo-headers among them.
        headers: &'a Headers<'a>,
        /// Whether the request ends here.
        end: bool,
        /// The Envoy cluster that the request is routed to, where that is known.
        cluster: Option<&'a str>,
    },
    /// More of the request's body is held; it is not whole yet.
    RequestGrows {
        /// Bytes held.
        bytes: usize,
    },
    /// The request's body is whole.
    RequestWhole {
        /// All of it.
        body: &'a [u8],
    },
    /// A call was answered, or failed.
    CallAnswered {
        /// The number that [`Effect::Call`] gave the call.
        call: u64,
        /// The answer's status and body; `None` for a call that failed.
        answer: Option<(u16, &'a [u8])>,
    },
    /// Keys that the exchange awaits may have come, or it has waited for long enough.
    KeysRenewed,
    /// The head that waits will wait in vain: the host hands over no body before it has gone.
    BodyWithheld,
    /// The response's head came; `end` if nothing follows it.
    ResponseHead {
        /// The headers, pseudo-headers among them; `:status` is enough unless
        /// [`super::Exchange::wants_response_head`].
        headers: &'a Headers<'a>,
        /// Whether the response ends here.
        end: bool,
    },
    /// A piece of the response's body.
    ResponseBody {
        /// The piece.
        piece: &'a [u8],
        /// Whether the response ends with it.
        end: bool,
    },
    /// The response ends with trailers.
    ResponseTrailers {
        /// They.
        trailers: &'a Headers<'a>,
    },
    /// The exchange is over, in whatever way.
    Closed {
        /// The record's number: one more than that of the VM's record before it, from 1.
        number: u64,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Set a header of the request, in place of all that have its name.
    SetRequestHeader {
        /// In lower case.
        name: String,
        /// Has no control characters.
        value: String,
    },
    /// Remove all headers of the request with this name.
    RemoveRequestHeader(String),
    /// Set a header of the response, in place of all that have its name.
    SetResponseHeader {
        /// In lower case.
        name: &'static str,
        /// Has no control characters.
        value: Vec<u8>,
    },
    /// Set a trailer of the response, in place of all that have its name.
    SetResponseTrailer {
        /// In lower case.
        name: String,
        /// Has no control characters.
        value: Vec<u8>,
    },
    /// Remove all trailers of the response with this name.
    RemoveResponseTrailer(String),
    /// Remove all headers of the response with this name.
    RemoveResponseHeader(&'static str),
    /// Put these bytes in place of the request's whole body, which is held.
    ReplaceRequestBody(Vec<u8>),
    /// Put these bytes in place of the piece that the event brought; before the trailers, if it
    /// brought those; in place of all that is held of the body, if it brought an answer to a call.
    ReplaceResponseBody(Vec<u8>),
    /// Send a request to another cluster, and tell of its answer.
    Call(Call),
    /// Answer the client and go no further.
    Reply(Reply),
    /// Tell the exchange of [`Event::KeysRenewed`] when there are new keys, and at this time since
    /// 1970 at the latest.
    AwaitKeys {
        /// The time.
        until: Duration,
    },
    /// End the connection: the response can't be finished.
    CutResponse,
    /// Hand this record to the access log.
    Record(String),
}

/// A request to another cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Unique within the exchange.
    pub number: u64,
    /// The Envoy cluster.
    pub cluster: String,
    /// The method.
    pub method: &'static str,
    /// The path with its query.
    pub path: String,
    /// Headers besides the pseudo-headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long the answer may take; never zero, which would be no limit at all.
    pub timeout: Duration,
}

/// An answer of the filter's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The status for a gRPC call; Envoy sends it in place of the HTTP status to callers that
    /// speak gRPC.
    pub grpc_status: u8,
    /// Headers; values have no control characters.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Whether what the event brought may go on. For an event that brought nothing of either direction,
/// as an answer to a call, it says whether the direction that is held may: the response if
/// [`super::Exchange::holds_response`] before the event, or else the request. Where a call fails at
/// once, the last outcome says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It is held, and with it everything behind it.
    Hold,
}

/// All that an event leads to. Effects come first, in order; then the flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What is to be done.
    pub effects: Vec<Effect>,
    /// Whether what the event brought may go on.
    pub flow: Flow,
}

impl Outcome {
    /// Nothing to do.
    pub(super) fn go_on() -> Self {
        Self {
            effects: Vec::new(),
            flow: Flow::Continue,
        }
    }
}
