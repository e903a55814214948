//! What is kept of an exchange: one JSON object, without bodies, tokens or credentials.

mod time;

use core::time::Duration;
use std::collections::BTreeMap;

use serde::Serialize;

/// One exchange. Members that are not known are null, never left out, so that a reader can tell
/// "nothing" from "not recorded".
#[derive(Clone, Debug, Default, Serialize)]
pub struct Record {
    /// The form's version: 1.
    pub version: u32,
    /// The exchange's own id, 32 hex digits.
    pub id: String,
    /// The VM that wrote the record, 16 hex digits.
    pub worker: String,
    /// Counts up by one for each record of the same VM, from 1: a gap is a lost record.
    pub number: u64,
    /// When the request came, RFC 3339 with milliseconds, UTC.
    pub time: String,
    /// SHA-256 of the policy, in hex.
    pub policy: String,
    /// The verified caller.
    pub identity: Option<Caller>,
    /// What was asked.
    pub request: Request,
    /// What was decided.
    pub verdict: Verdict,
    /// The last approval that was asked for.
    pub approval: Option<Approval>,
    /// What came back.
    pub response: Response,
    /// Times since the request came, in milliseconds.
    pub timing: Timing,
}

/// The verified caller.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Caller {
    /// The identity provider's name.
    pub provider: String,
    /// The token's issuer.
    pub issuer: String,
    /// The subject.
    pub subject: String,
    /// `person` or `service`.
    pub kind: &'static str,
    /// The client that the token was issued to.
    pub client: Option<String>,
    /// Groups.
    pub groups: Vec<String>,
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
    /// The model.
    pub model: Option<String>,
    /// Predictions asked for, if the body was read.
    pub items: Option<u64>,
    /// The body's size, if it was read.
    pub bytes: Option<u64>,
}

/// What was decided.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// `allow`, `deny`, or `none` when the client left before there was one.
    pub action: &'static str,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Why the request was refused.
    pub code: Option<&'static str>,
    /// The status that the filter answered with itself.
    pub status: Option<u16>,
    /// Quotas that were charged.
    pub quotas: Vec<String>,
}

/// An approval that was asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Approval {
    /// The desk's id; null when the desk could not be asked.
    pub id: Option<String>,
    /// `asked` when no answer came before the end, `pending`, `approved`, `denied`, `gone`, or
    /// `unavailable`.
    pub state: &'static str,
    /// The rule that wanted it.
    pub rule: String,
    /// Who decided.
    pub reviewer: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Response {
    /// The status that the client was sent.
    pub status: Option<u16>,
    /// Bytes of the body that came from the model server.
    pub bytes_received: u64,
    /// Bytes of the body that went to the client.
    pub bytes_sent: u64,
    /// Whether a mask was on.
    pub masked: bool,
    /// Matches by detector.
    pub matches: BTreeMap<String, u64>,
    /// Why the response was refused or cut off.
    pub code: Option<&'static str>,
}

/// Times since the request came, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timing {
    /// Until the verdict.
    pub verdict: Option<u64>,
    /// Until the response's head.
    pub response: Option<u64>,
    /// Until the end.
    pub total: u64,
}

impl Record {
    /// Begins a record of a request that came at `now` (since 1970).
    #[must_use]
    pub fn begin(id: String, worker: String, policy: String, now: Duration) -> Self {
        Self {
            version: 1,
            id,
            worker,
            time: time::rfc3339(now),
            policy,
            verdict: Verdict {
                action: "none",
                ..Verdict::default()
            },
            ..Self::default()
        }
    }

    /// The record's text, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every member is a string, a number, a list or a map of those: nothing here can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}
