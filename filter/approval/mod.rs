//! Asking the desk: the request's digest, the question, and what its answers mean.
//!
//! The desk speaks JSON over HTTP: `POST /v1/approvals` asks, `GET /v1/approvals/{id}?wait=N`
//! waits up to N seconds for a decision. An approval is bound to a digest of the request, the
//! caller, the rule and the policy; the desk hands one out once.

mod section;
mod standing;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use base::bytes::hex;
use base::json;

pub use section::{APPROVALS, Approvals, read};
pub use standing::{MAX_STANDING_BYTES, Poll, Scope, Standing};

/// What a person is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Whether a request may go on.
    Request,
    /// Whether an answer may.
    Answer,
}

/// Where questions go.
pub const ASK_PATH: &str = "/v1/approvals";

/// What the desk shows a reviewer, and binds the approval to.
#[derive(Clone, Debug, Serialize)]
pub struct Question<'a> {
    /// SHA-256 of the request, in hex; see [`digest`].
    pub digest: String,
    /// The verified subject.
    pub subject: &'a str,
    /// The token's issuer.
    pub issuer: &'a str,
    /// The identity provider's name.
    pub provider: &'a str,
    /// The verified groups.
    pub groups: &'a [String],
    /// The operation's name.
    pub operation: &'a str,
    /// The method.
    pub method: &'a str,
    /// The normalized path.
    pub path: &'a str,
    /// The model that is asked for.
    pub model: Option<&'a str>,
    /// Predictions that are asked for.
    pub items: Option<u64>,
    /// The rule that wants approval.
    pub rule: &'a str,
    /// Groups of reviewers, any of whom may decide.
    pub reviewers: &'a [String],
    /// Detectors that found something in the answer, where the question is about that.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub found: &'a [String],
    /// SHA-256 of the policy, in hex.
    pub policy: &'a str,
    /// Seconds that the desk may hold the question open.
    pub wait: u64,
}

/// What an approval is bound to besides a body.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The request's method.
    pub method: &'a str,
    /// Its authority, without the port and in lower case.
    pub host: &'a str,
    /// Its normalized path, with its query.
    pub path: &'a str,
}

/// The digest that binds an approval to one request.
#[must_use]
pub fn digest(target: &Target<'_>, body: &[u8]) -> String {
    digest_of(&[&target.parts()[..], &[body]].concat())
}

/// The digest that binds an approval to one answer to a request: what a request's has, and the
/// answer's body as it would be sent.
#[must_use]
pub fn digest_of_answer(target: &Target<'_>, answer: &[u8]) -> String {
    // One part more than a request has: no answer's digest is a request's.
    digest_of(&[&target.parts()[..], &[b"answer", answer]].concat())
}

impl<'a> Target<'a> {
    fn parts(&self) -> [&'a [u8]; 3] {
        [self.method, self.host, self.path].map(str::as_bytes)
    }
}

fn digest_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// What the desk says of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The approval's id: letters, digits, `_` and `-`.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// Who decided.
    pub reviewer: Option<String>,
    /// What the reviewer wrote.
    pub reason: Option<String>,
}

/// How far an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided.
    Pending,
    /// Approved, and handed out to this question only.
    Approved,
    /// Denied.
    Denied,
    /// Over: handed out to another question, or expired.
    Gone,
}

impl State {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Gone => "gone",
        }
    }
}

/// The longest text that is taken over from an answer.
const MAX_TEXT_CHARS: usize = 500;

/// Reads an answer. `None` is anything but a well-formed one, and counts as no answer: a
/// request is never passed because the desk could not be understood.
#[must_use]
pub fn read_answer(status: u16, body: &[u8]) -> Option<Answer> {
    if status != 200 {
        return None;
    }
    let value = json::parse(body).ok()?;
    let id = value.get("id")?.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return None;
    }
    let state = match value.get("state")?.as_str()? {
        "pending" => State::Pending,
        "approved" => State::Approved,
        "denied" => State::Denied,
        "used" | "expired" => State::Gone,
        _ => return None,
    };
    let text = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .map(|text| text.chars().take(MAX_TEXT_CHARS).collect())
    };
    Some(Answer {
        id: id.to_owned(),
        state,
        reviewer: text("reviewer"),
        reason: text("reason"),
    })
}

/// Where to wait for a decision on `id`, for up to `seconds`.
#[must_use]
pub fn wait_path(id: &str, seconds: u64) -> String {
    format!("{ASK_PATH}/{id}?wait={seconds}")
}
