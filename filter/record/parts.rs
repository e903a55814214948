//! What a record consists of.

use base::code::Code;
use std::borrow::Cow;
use std::collections::BTreeMap;

use base::usage::Usage;
use serde::Serialize;

use super::closing::How;

/// The verified caller.
#[derive(Clone, Debug, Serialize)]
pub struct Caller<'a> {
    /// The identity provider's name.
    pub provider: &'a str,
    /// The token's issuer.
    pub issuer: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// `person` or `service`.
    pub kind: &'static str,
    /// The client that the token was issued to.
    pub client: Option<&'a str>,
    /// What stands for the token's id (RFC 7519, section 4.1.7): the first 16 bytes of its SHA-256, in hex.
    pub token: Option<&'a str>,
    /// Groups.
    pub groups: Cow<'a, [String]>,
}

/// What was asked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The authority.
    pub host: String,
    /// The normalized path, without its query, which may hold secrets.
    pub path: Option<String>,
    /// The operation's name.
    pub operation: Option<&'static str>,
    /// The model ([`Record::note_model`]).
    pub model: Option<String>,
    /// Predictions asked for, if the body was read.
    pub items: Option<u64>,
    /// The body's size, if it was read.
    pub bytes: Option<u64>,
    /// SHA-256 of the body as it went on, in hex.
    pub digest: Option<String>,
    /// Whether a mask was on.
    pub masked: bool,
    /// What was masked, by detector.
    pub matches: BTreeMap<String, u64>,
    /// What was only counted, by detector.
    pub alerts: BTreeMap<String, u64>,
    /// Values that got pseudonyms, and for which there was no room to put them back.
    pub not_kept: u64,
}

/// What was decided.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// `allow`, `deny`, or `none` when the client left before there was one.
    pub action: &'static str,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Why the request was refused.
    pub code: Option<Code>,
    /// What the caller of a refused request was told.
    pub reason: Option<String>,
    /// The status that the filter answered with itself.
    pub status: Option<u16>,
    /// The quota that refused it, which is only counted.
    #[serde(skip)]
    pub refused_by: Option<String>,
    /// Quotas that were charged.
    pub quotas: Vec<String>,
    /// What was taken from each of them.
    pub charges: Vec<Charged>,
}

/// What was taken from a quota.
#[derive(Clone, Debug, Serialize)]
pub struct Charged {
    /// The quota's name.
    pub quota: String,
    /// How much was taken.
    pub amount: u64,
    /// How much a window has; of a bucket, its burst.
    pub limit: u64,
    /// How much was left in the window then.
    pub remaining: u64,
    /// What was counted apart: for each dimension its name and its values. `None` where that is too long.
    pub key: Option<Vec<String>>,
    /// When so much was left, in milliseconds since the request came.
    pub at: u64,
    /// When all of it would be there again if nobody took more, likewise; `None` for what is in flight.
    pub until: Option<u64>,
}

/// A rule that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Tried<'a> {
    /// Its name.
    pub rule: &'a str,
    /// What came of it: `no`, `untold`, `allow`, `deny` or `approve`.
    pub came: &'static str,
}

/// An approval that was asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Approval {
    /// The number of its gate within the exchange; none has 0.
    #[serde(skip)]
    pub gate: u64,
    /// The desk's id; null when the desk could not be asked.
    pub id: Option<String>,
    /// `asked` when no answer came before the end, `granted` when a grant that lasts let the request
    /// pass and nobody was asked, `pending`, `approved`, `denied`, `gone`, or `unavailable`.
    pub state: &'static str,
    /// The rule that wanted it.
    pub rule: String,
    /// Who decided.
    pub reviewer: Option<String>,
    /// What the reviewer wrote.
    pub reason: Option<String>,
    /// When the filter learned of the decision (RFC 3339).
    pub decided: Option<String>,
    /// The id by which the approval was taken, once the request or the answer went.
    pub claim: Option<String>,
    /// Whether it was given back, since the model server didn't answer, or failed.
    pub given_back: bool,
    /// The exchange in which the answer was made that was kept until it was approved, and went now.
    pub kept_from: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Response {
    /// The status that the client was sent.
    pub status: Option<u16>,
    /// Whether it is a stream of events, lines or messages; `None` if nobody looked at it.
    pub streamed: Option<bool>,
    /// The tokens that it says it took; `None` where it says none, or nobody looked at it.
    pub tokens: Option<Tokens>,
    /// Bytes of the body that came from the model server; `None` if nobody looked at it.
    pub bytes_received: Option<u64>,
    /// Bytes of the body that went to the client; `None` if nobody looked at it.
    pub bytes_sent: Option<u64>,
    /// SHA-256 of those, in hex.
    pub digest: Option<String>,
    /// Whether a mask was on.
    pub masked: bool,
    /// What was masked, ended the response, or waited for a person, by detector.
    pub matches: BTreeMap<String, u64>,
    /// What was only counted, by detector.
    pub alerts: BTreeMap<String, u64>,
    /// Pseudonyms of the request that have been given their values back.
    pub restored: u64,
    /// Why the response was refused or cut off.
    pub code: Option<Code>,
}

/// How many tokens an answer says that it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Those of the request.
    pub prompt: Option<u64>,
    /// Those of the answer.
    pub completion: Option<u64>,
    /// Those of the request that were not computed anew.
    pub cached: Option<u64>,
    /// All of them, as the server counts.
    pub total: Option<u64>,
}

impl Tokens {
    /// What is known; `None` if nothing is.
    #[must_use]
    pub fn of(usage: Usage) -> Option<Self> {
        (usage != Usage::default()).then_some(Self {
            prompt: usage.input,
            completion: usage.output,
            cached: usage.cached,
            total: usage.total,
        })
    }
}

/// How an exchange ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ended {
    /// The kind of end.
    pub how: How,
    /// What Envoy says of it, in its own words.
    pub details: Option<String>,
}

/// Where in the mesh an exchange was, and what others know it by.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Mesh {
    /// Envoy's version.
    pub envoy: Option<String>,
    /// Envoy's own name in the mesh, its node's id.
    pub node: Option<String>,
    /// The address and port of the listener.
    pub listener: Option<String>,
    /// Whether the listener is for what comes in or goes out, where its configuration says so.
    pub direction: Option<&'static str>,
    /// The address and port that the request came from: the client's, or that of a proxy before it.
    pub peer: Option<String>,
    /// The route's name.
    pub route: Option<String>,
    /// The cluster that the request went to.
    pub cluster: Option<String>,
    /// The address and port of the model server.
    pub endpoint: Option<String>,
    /// The request's `x-request-id`.
    pub request_id: Option<String>,
    /// The trace that it belongs to, 32 hex digits (W3C Trace Context, section 3.2.2.3).
    pub trace_id: Option<String>,
}

/// Times since the request came, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timing {
    /// Until the verdict.
    pub verdict: Option<u64>,
    /// Until the response's head.
    pub response: Option<u64>,
    /// Until the first byte of the response's body went on to the client.
    pub first_byte: Option<u64>,
    /// Until the end.
    pub total: u64,
}
