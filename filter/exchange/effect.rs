//! What an exchange wants done.
//!
//! | effect | valid |
//! |---|---|
//! | edits of a head | while that head is held, or in the outcome of its own event |
//! | edits of trailers | in the outcome of their event |
//! | [`Effect::ReadRequestBytes`] | in the outcome of a piece of the request, or of its trailers |
//! | [`Effect::ReadRequestBody`] | while the request is held and its body is whole |
//! | [`Effect::ReadClosing`] | in the outcome of anything of the response, or of an event from outside while it is held |
//! | [`Effect::ReplaceRequestBody`] | in the outcome of [`Event::RequestWhole`] or [`Event::RequestBytes`], before that goes on |
//! | [`Effect::ReplaceResponseBody`] | in the outcome of a piece, of trailers, or of an event from outside while the response is held |
//! | [`Effect::Resume`] | in the outcome of an event from outside: an answer to a call, keys, a tick, a body that was asked for |
//! | [`Effect::Reply`], [`Effect::CutResponse`] | once a stream, either of them; nothing is resumed behind it |
//! | [`Effect::Record`] | in the outcome of [`Event::Closed`], in which besides only [`Effect::Post`] and [`Effect::Count`] are |
//!
//! In debug builds, `contract` checks what it can see of that.
//!
//! [`Event::RequestWhole`]: super::Event::RequestWhole
//! [`Event::RequestBytes`]: super::Event::RequestBytes
//! [`Event::Closed`]: super::Event::Closed

use core::time::Duration;

use super::approvals::Ask;
use super::event::{Direction, Purpose};
use crate::approval::Trouble;
use crate::call;
use crate::metric::Metric;

/// A request to another cluster, on behalf of an exchange.
pub type Call = call::Call<Purpose>;

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
        name: String,
        /// Has no control characters.
        value: Vec<u8>,
    },
    /// Remove all headers of the response with this name.
    RemoveResponseHeader(String),
    /// Set a trailer of the response, in place of all that have its name.
    SetResponseTrailer {
        /// In lower case.
        name: String,
        /// Has no control characters.
        value: Vec<u8>,
    },
    /// Remove all trailers of the response with this name.
    RemoveResponseTrailer(String),
    /// Remove all trailers of the request with this name.
    RemoveRequestTrailer(String),
    /// Hand over the request's whole body, all of which is held.
    ReadRequestBody,
    /// Hand over what is held of the request's body, which may have more to come.
    ReadRequestBytes {
        /// Whether the request ends with them.
        end: bool,
    },
    /// Tell what the host knows of the exchange by now ([`super::Event::Closing`]).
    ReadClosing,
    /// Put these bytes in place of what is held of the request's body.
    ReplaceRequestBody(Vec<u8>),
    /// Put these bytes in place of the piece that the event brought; before the trailers, if it
    /// brought those; in place of all that is held of the body, if it came from outside or leads to
    /// [`Effect::Reply`].
    ReplaceResponseBody(Vec<u8>),
    /// Send a request to another cluster, and tell of its answer. Several may be under way at once.
    Call(Box<Call>),
    /// Send a request to another cluster, whatever becomes of this exchange; nobody waits for its
    /// answer.
    Post(Box<call::Call<call::Post>>),
    /// Ask a person, once for all that ask the same, and tell of it with [`super::Event::Decided`]: any
    /// number of times as long as nobody has decided.
    Ask(Box<Ask>),
    /// Log, and count, that an approval service didn't do what it was asked to.
    Trouble(Trouble),
    /// Answer the client and go no further.
    Reply(Reply),
    /// End the connection: the response can't be finished.
    CutResponse,
    /// Let go on what is held of this direction.
    Resume(Direction),
    /// Send [`super::Event::KeysRenewed`] once there are new keys.
    WantKeys,
    /// Send [`super::Event::Tick`] at this time since 1970, or as soon as can be if that has passed.
    WakeAt(Duration),
    /// Keep in mind what has come of the request, so that it can be told whether more has
    /// ([`super::Arrived`]). It comes behind the edits of the head, which change its size.
    MarkRequest,
    /// Whether the host delivers bodies while their heads are paused has been found out.
    Bodies(super::world::Bodies),
    /// Count so many more of a metric.
    Count(Metric, u64),
    /// Hand this record to the access log.
    Record(String),
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

/// Whether what the event brought may go on. After an event from outside it says nothing: there,
/// [`Effect::Resume`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on, and with it all of its direction that is held.
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

    /// Whether an answer of the filter's own takes the place of what there was, or ends it.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        let ends = |effect: &Effect| matches!(effect, Effect::Reply(_) | Effect::CutResponse);
        self.effects.iter().any(ends)
    }

    /// Takes the response's bytes out, so that they are not written twice.
    pub fn take_response_body(&mut self) -> Option<Vec<u8>> {
        let is_body = |effect: &Effect| matches!(effect, Effect::ReplaceResponseBody(_));
        let index = self.effects.iter().position(is_body)?;
        match self.effects.remove(index) {
            Effect::ReplaceResponseBody(bytes) => Some(bytes),
            _ => None,
        }
    }
}
