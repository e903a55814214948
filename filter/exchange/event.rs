//! What an exchange is told.
//!
//! The host tells of things in the order in which they come, one at a time:
//!
//! - of each direction its head, then the pieces of its body, then its trailers. Once
//!   [`super::Exchange::wants_request_pieces`] is false, no more of the request need be told;
//! - what [`Effect::ReadRequestBody`] asked for with [`Event::RequestWhole`], and
//!   [`Effect::ReadClosing`] with [`Event::Closing`], in the same callback;
//! - the answer to each [`Effect::Call`] once, in a callback of its own, or for a call that can't
//!   be sent in the same one, behind all effects of the outcome that wanted it;
//! - [`Event::Decided`] only after [`Effect::Ask`], not in the same callback;
//! - [`Event::KeysRenewed`] only after [`Effect::WantKeys`], and [`Event::Tick`] at the time of
//!   [`Effect::WakeAt`] or somewhat later; more of them do no harm;
//! - [`Event::Closed`] once, last, whatever came before.
//!
//! What an event's effects may be, [`super::effect`] says.
//!
//! [`Effect::ReadClosing`]: super::Effect::ReadClosing
//! [`Effect::ReadRequestBody`]: super::Effect::ReadRequestBody
//! [`Effect::Ask`]: super::Effect::Ask
//! [`Effect::Call`]: super::Effect::Call
//! [`Effect::WantKeys`]: super::Effect::WantKeys
//! [`Effect::WakeAt`]: super::Effect::WakeAt

use crate::approval::{Decision, Subject};
use crate::call::Answer;
use crate::record::Closing;

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
    /// A piece of the request's body came. The host keeps it with those that are held.
    RequestPiece {
        /// Bytes that are held of the body, this piece among them.
        held: usize,
        /// Whether the request ends with it.
        end: bool,
    },
    /// The request ends with trailers; its body is whole.
    RequestTrailers {
        /// The trailers.
        trailers: &'a Headers<'a>,
    },
    /// The request's whole body, all of which is held.
    RequestWhole {
        /// All of it.
        body: &'a [u8],
    },
    /// The bytes that are held of the request's body, after [`Effect::ReadRequestBytes`].
    ///
    /// [`Effect::ReadRequestBytes`]: super::Effect::ReadRequestBytes
    RequestBytes {
        /// All that is held.
        bytes: &'a [u8],
        /// Whether the request ends with them.
        end: bool,
    },
    /// A call was answered, or failed.
    CallAnswered {
        /// What the call was for.
        purpose: Purpose,
        /// Its number.
        number: u64,
        /// What came of it.
        answer: Answer<'a>,
    },
    /// Something has come of a question ([`Effect::Ask`]).
    ///
    /// [`Effect::Ask`]: super::Effect::Ask
    Decided {
        /// What was asked about.
        about: Subject,
        /// The question's number.
        number: u64,
        /// What has come of it.
        decision: &'a Decision,
    },
    /// There are new keys.
    KeysRenewed,
    /// The time has come that the exchange wanted to be woken at.
    Tick,
    /// The response's head came; `end` if nothing follows it.
    ResponseHead {
        /// The Envoy cluster from which it came, where that is known.
        cluster: Option<&'a str>,
        /// The headers, pseudo-headers among them; `:status` is enough unless
        /// [`super::Exchange::wants_response_head`].
        headers: &'a Headers<'a>,
        /// Whether the response ends here.
        end: bool,
    },
    /// A piece of the response's body, all of which goes on unseen, came
    /// ([`super::Exchange::wants_response_sizes`]).
    ResponseUnseen {
        /// How long it is.
        bytes: usize,
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
        /// The trailers.
        trailers: &'a Headers<'a>,
    },
    /// What the host knows of the exchange before it is over, after [`Effect::ReadClosing`].
    ///
    /// [`Effect::ReadClosing`]: super::Effect::ReadClosing
    Closing {
        /// The record's number, as [`Event::Closed`] will say it.
        number: u64,
        /// What it knows.
        closing: &'a Closing<'a>,
    },
    /// The exchange is over, in whatever way.
    Closed {
        /// The record's number: one more than that of the VM's record before it, from 1.
        number: u64,
        /// What the host tells of its end.
        closing: &'a Closing<'a>,
    },
}

/// What an exchange calls another cluster for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To claim an approval for the request.
    RequestClaim,
    /// To claim one for the answer.
    AnswerClaim,
    /// To fetch an answer that is kept, or to claim it.
    KeptAnswer,
    /// To have the record kept before the answer ends.
    Commit,
}

/// One of an exchange's two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the model server.
    Request,
    /// Back.
    Response,
}
