//! Refusals in the caller's dialect, so that official clients raise their own exceptions.

use super::effect::Reply;
use super::waiting_room::Full;
use crate::approval::{Answer, Subject, Trouble};
use crate::dialect::{ApiError, Dialect, Stream};
use crate::identity;
use crate::operation::{MethodError, PathError};
use base::code::Code;

/// The longest that clients which try again by themselves are let wait, in seconds: some wait as long as they
/// are told, inside of the call.
const PATIENCE: u64 = 60;

/// Why a request ends at the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) headers: Vec<(&'static str, String)>,
    /// The quota that is why.
    pub(super) quota: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: Code, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
            quota: None,
        }
    }

    fn of_quota(mut self, quota: &str) -> Self {
        self.quota = Some(quota.to_owned());
        self
    }

    fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.push((header, value));
        self
    }

    /// Whether clients that try again by themselves are told not to.
    fn not_again_if(self, vain: bool) -> Self {
        match vain {
            true => self.with("x-should-retry", "false".to_owned()),
            false => self,
        }
    }

    pub(super) fn identity(refusal: identity::Refusal) -> Self {
        let this = Self::new(refusal.status(), refusal.code(), refusal.message());
        if refusal == identity::Refusal::KeysUnavailable {
            return this.with("retry-after", "1".to_owned());
        }
        this.with("www-authenticate", refusal.challenge())
    }

    /// Events in an order that no host should produce.
    pub(super) fn out_of_order() -> Self {
        Self::new(500, Code::OutOfOrder, "The request can't be judged.")
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(400, Code::BodyMalformed, message)
    }

    pub(super) fn not_readable(message: &str) -> Self {
        Self::new(415, Code::BodyNotReadable, message)
    }

    pub(super) fn unmaskable() -> Self {
        Self::not_readable("The body can't be masked, and is not passed on unmasked.")
    }

    pub(super) fn approval_denied(subject: Subject, answer: &Answer) -> Self {
        let what = match subject {
            Subject::Request => "request",
            Subject::Answer => "answer",
        };
        let reason = answer.reason.as_deref().unwrap_or_default();
        let message = format!("A reviewer denied this {what} ({}). {reason}", answer.id);
        Self::forbidden(Code::ApprovalDenied, message.trim_end())
    }

    pub(super) fn approval_gone(subject: Subject, id: &str) -> Self {
        let other = match subject {
            Subject::Request => " for another request",
            Subject::Answer => "",
        };
        let message = format!("The approval {id} was used{other} or has expired.");
        Self::forbidden(Code::ApprovalGone, message)
    }

    /// What is kept is not what the filter had kept: nothing of it goes.
    pub(super) fn kept_answer_changed(id: &str) -> Self {
        let message = format!("The answer that was approved ({id}) can't be opened.");
        Self::new(502, Code::KeptAnswerChanged, message).with("x-should-retry", "false".to_owned())
    }

    /// A grant ended while the request waited for something else.
    pub(super) fn grant_over() -> Self {
        Self::forbidden(
            Code::ApprovalGone,
            "What let this request pass has ended while it waited. Send the same request again.",
        )
    }

    /// For what is in the response, before any of it has gone.
    pub(super) fn withheld() -> Self {
        Self::new(
            403,
            Code::MatchWithheld,
            "The answer holds something that the policy does not let through.",
        )
    }

    /// For a request that opens a session, before the model server hears of it.
    pub(super) fn no_session() -> Self {
        Self::new(
            403,
            Code::RealtimeNotMaskable,
            "A session such as a web socket can't be masked, and the policy lets none through unmasked.",
        )
    }

    pub(super) fn no_end() -> Self {
        Self::new(
            403,
            Code::SessionNotCommittable,
            "A session such as a web socket has no answer that could wait for its record.",
        )
    }

    /// The refusal with this code of a response of which nothing has gone.
    pub(super) fn of_answer(code: Code) -> Self {
        match code {
            Code::MatchWithheld => Self::withheld(),
            Code::BuffersFull => Self::buffers_full(),
            Code::PieceTooLarge | Code::AnswerTooLarge => Self::more_than_held(code),
            code => Self::not_maskable(code),
        }
    }

    /// There is no room for what would have to be held, in whichever direction.
    pub(super) fn buffers_full() -> Self {
        Self::new(
            503,
            Code::BuffersFull,
            "Too much is being looked at now. Try again.",
        )
        .with("retry-after", "1".to_owned())
    }

    /// More of an answer would have to be held than is.
    fn more_than_held(code: Code) -> Self {
        Self::new(
            502,
            code,
            "The model server's answer can't be masked: more of it would have to be held at once than the policy's limits let be (\"stream_event\" of an event, \"held_answer\" of an answer).",
        )
    }

    /// The code of an answer that can't be masked.
    pub(super) fn not_maskable(code: Code) -> Self {
        Self::new(
            502,
            code,
            "The model server's answer can't be masked, and is not passed on unmasked.",
        )
    }

    pub(super) fn path(error: PathError) -> Self {
        Self::new(400, Code::PathNotNormal, error.message())
    }

    /// A header that is taken out may have chosen the cluster whose credential would be put in.
    pub(super) fn could_choose_the_route(header: &str) -> Self {
        Self::new(
            400,
            Code::RouteNotCertain,
            format!("The request may not have a header {header:?}."),
        )
    }

    /// Envoy's routes look at what the filter changes, so that nobody knows whose credential to put in.
    pub(super) fn goes_elsewhere() -> Self {
        Self::new(
            502,
            Code::RouteNotCertain,
            "The proxy's routes lead this request elsewhere once the caller is known.",
        )
    }

    /// RFC 6750, section 3.1: a valid token that may not do this.
    pub(super) fn denied(message: Option<&str>) -> Self {
        Self::forbidden(
            Code::Denied,
            message.unwrap_or("The policy does not allow this request."),
        )
    }

    /// The caller, or the token, is kept out by what has this id.
    pub(super) fn blocked(id: &str) -> Self {
        Self::forbidden(Code::Blocked, format!("This caller is blocked ({id})."))
    }

    pub(super) fn blocks_unknown() -> Self {
        Self::new(
            503,
            Code::BlocksUnknown,
            "Who is blocked can't be told now. Try again.",
        )
        .with("retry-after", "1".to_owned())
    }

    pub(super) fn forbidden(code: Code, message: impl Into<String>) -> Self {
        Self::new(403, code, message).with(
            "www-authenticate",
            "Bearer realm=\"portcullis\", error=\"insufficient_scope\"".to_owned(),
        )
    }

    pub(super) fn over_quota(quota: &str, retry_after: u64) -> Self {
        Self::new(
            429,
            Code::QuotaExceeded,
            format!("The quota {quota:?} is used up. Try again in {retry_after} seconds."),
        )
        .with("retry-after", retry_after.to_string())
        .not_again_if(retry_after > PATIENCE)
        .of_quota(quota)
    }

    pub(super) fn more_than_quota(quota: &str) -> Self {
        Self::new(
            429,
            Code::QuotaTooSmall,
            format!("The request asks for more than the quota {quota:?} ever has."),
        )
        .not_again_if(true)
        .of_quota(quota)
    }

    /// What can't be counted is not let through under a limit of it.
    pub(super) fn not_countable(quota: &str) -> Self {
        Self::forbidden(
            Code::CountUnknown,
            format!("The quota {quota:?} counts what can't be told of this request."),
        )
        .of_quota(quota)
    }

    pub(super) fn method(error: MethodError) -> Self {
        let status = match error {
            MethodError::NotNormal => 400,
            MethodError::Echoes => 405,
        };
        let this = Self::new(status, Code::MethodNotAccepted, error.message());
        if status == 405 {
            // RFC 9110, section 15.5.6: which ones are, only the model server knows.
            return this.with("allow", String::new());
        }
        this
    }

    /// Behind a message that waits for a person, the stream would wait too, and its client for its
    /// answer.
    pub(super) fn no_person_in_a_stream() -> Self {
        Self::not_readable("A message of a stream can't wait for a person's approval.")
    }

    pub(super) fn quota_unavailable() -> Self {
        Self::new(503, Code::QuotaUnavailable, "Quotas can't be counted now.")
            .with("retry-after", "1".to_owned())
    }

    /// Nobody can be asked: the code says why, the caller is told no more.
    pub(super) fn not_asked(trouble: Trouble) -> Self {
        let (status, message) = match trouble {
            Trouble::TooMany => (
                429,
                "This request needs a person's approval, and too many wait for one.",
            ),
            _ => (
                503,
                "This request needs a person's approval, and nobody can be asked now.",
            ),
        };
        Self::new(status, trouble.code(), message).with("retry-after", "5".to_owned())
    }

    pub(super) fn recorder_away() -> Self {
        Self::new(
            503,
            Code::RecordNotKept,
            "This answer may only go with a record of it, which can't be kept now.",
        )
        .with("retry-after", "5".to_owned())
    }

    pub(super) fn no_bodies() -> Self {
        Self::new(
            503,
            Code::StopIterationOff,
            "This request can't be judged: the proxy is not set up to let a body be read first.",
        )
    }

    pub(super) fn too_many_waiting(full: Full) -> Self {
        let (status, message) = match full {
            Full::OfCaller => (
                429,
                "Too many requests of this caller wait for a person's approval.",
            ),
            Full::OfAll => (503, "Too many requests wait for a person's approval."),
        };
        Self::new(status, Code::TooManyWaiting, message).with("retry-after", "5".to_owned())
    }

    /// The official clients try 409 again by themselves, and so do others that look at this header.
    pub(super) fn undecided(id: &str) -> Self {
        let message = format!(
            "This request waits for a person's approval ({id}), and nobody has decided yet. Send the same request again."
        );
        Self::new(409, Code::ApprovalPending, message)
            .with("x-should-retry", "true".to_owned())
            .with("retry-after", "5".to_owned())
    }

    pub(super) fn too_large(limit: u64) -> Self {
        Self::new(
            413,
            Code::RequestTooLarge,
            format!("The body is larger than the {limit} bytes that are accepted."),
        )
    }

    /// The same in the middle of a stream that answers a request for this path, where the dialect has
    /// a way to say it.
    pub(super) fn into_stream(
        self,
        dialect: &Dialect,
        stream: Stream,
        path: &str,
    ) -> Option<String> {
        let error = ApiError {
            status: self.status,
            code: self.code,
            message: &self.message,
        };
        (dialect.in_stream)(&error, stream, path)
    }

    pub(super) fn into_reply(self, dialect: &Dialect) -> Reply {
        let written = (dialect.error)(&ApiError {
            status: self.status,
            code: self.code,
            message: &self.message,
        });
        let mut headers = self.headers;
        headers.extend(written.headers);
        Reply {
            status: self.status,
            grpc_status: grpc_status(self.status),
            headers,
            body: written.body,
        }
    }
}

/// The gRPC status code (<https://grpc.io/docs/guides/status-codes/>) that says the same. Envoy's
/// own mapping makes 14 of 429 and 13 of 400, which tell a caller to try again or to give up.
fn grpc_status(status: u16) -> u8 {
    const INVALID_ARGUMENT: u8 = 3;
    const PERMISSION_DENIED: u8 = 7;
    const RESOURCE_EXHAUSTED: u8 = 8;
    const INTERNAL: u8 = 13;
    const UNAVAILABLE: u8 = 14;
    const UNAUTHENTICATED: u8 = 16;
    match status {
        400 | 415 => INVALID_ARGUMENT,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        413 | 429 => RESOURCE_EXHAUSTED,
        // What waits for a person may be tried again.
        409 | 503 => UNAVAILABLE,
        _ => INTERNAL,
    }
}
