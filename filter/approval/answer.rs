//! What a service says of an approval.

use base::json;
use serde_json::Value;

use super::trouble::Trouble;
use crate::call;

/// What a service says of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The approval's id: letters, digits, `_` and `-`.
    pub id: String,
    /// What it is bound to.
    pub binding: String,
    /// How far it is.
    pub state: State,
    /// Who decided.
    pub reviewer: Option<String>,
    /// What the reviewer wrote.
    pub reason: Option<String>,
    /// How many may claim it, once it is approved.
    pub uses: u64,
}

/// How far an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided.
    Pending,
    /// Approved, and not used up.
    Approved,
    /// Denied.
    Denied,
    /// Over: used up, expired, or taken back.
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

/// What comes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// What the service says; one that is pending goes on being waited for.
    Answer(Answer),
    /// Nobody has decided in time on the approval with this id.
    Late(String),
    /// No answer is kept under the name that was looked for.
    Nothing,
    /// The service could not be asked, or not be waited for.
    Trouble(Trouble),
}

/// The longest text that is taken over from an answer.
const MAX_TEXT_CHARS: usize = 500;

/// Reads the answer to a question with this binding, or, where an id is given, to a wait for its
/// decision.
///
/// # Errors
/// Whatever else comes: nothing is ever passed because a service could not be understood.
pub fn read_answer(
    answer: call::Answer<'_>,
    binding: &str,
    id: Option<&str>,
) -> Result<Answer, Trouble> {
    let (status, body) = answer.http().ok_or(Trouble::NoAnswer)?;
    if let (404 | 410, Some(id)) = (status, id) {
        return Ok(Answer {
            id: id.to_owned(),
            binding: binding.to_owned(),
            state: State::Gone,
            reviewer: None,
            reason: None,
            uses: 0,
        });
    }
    let value = parse(status, body)?;
    let answer = read(&value).ok_or(Trouble::NotUnderstood)?;
    match id {
        _ if answer.binding != binding => Err(Trouble::NotUnderstood),
        Some(id) if answer.id != id => Err(Trouble::NotUnderstood),
        _ => Ok(answer),
    }
}

/// Reads the answer to a claim: whether it holds. If it doesn't, another has taken the approval, or it
/// is over.
///
/// # Errors
/// As [`read_answer`].
pub fn read_claim(
    answer: call::Answer<'_>,
    (id, binding, claim): (&str, &str, &str),
) -> Result<bool, Trouble> {
    let (status, body) = answer.http().ok_or(Trouble::NoAnswer)?;
    if matches!(status, 404 | 409 | 410) {
        return Ok(false);
    }
    let value = parse(status, body)?;
    let is = |name: &str, expected: &str| value.get(name).and_then(Value::as_str) == Some(expected);
    if !is("id", id) || !is("binding", binding) || !is("claim", claim) {
        return Err(Trouble::NotUnderstood);
    }
    match value.get("state").and_then(Value::as_str) {
        Some("claimed") => Ok(true),
        Some("pending" | "denied" | "used" | "expired" | "revoked") => Ok(false),
        _ => Err(Trouble::NotUnderstood),
    }
}

pub(super) fn parse(status: u16, body: &[u8]) -> Result<Value, Trouble> {
    let value = json::parse(body).ok();
    match Trouble::of(status, value.is_some()) {
        Some(trouble) => Err(trouble),
        None => value.ok_or(Trouble::NotUnderstood),
    }
}

pub(super) fn read(value: &Value) -> Option<Answer> {
    let id = value.get("id")?.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return None;
    }
    let state = match value.get("state")?.as_str()? {
        "pending" => State::Pending,
        "approved" => State::Approved,
        "denied" => State::Denied,
        "used" | "expired" | "revoked" => State::Gone,
        _ => return None,
    };
    let text = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .map(|text| text.chars().take(MAX_TEXT_CHARS).collect())
    };
    let uses = match value.get("grant") {
        None | Some(Value::Null) => 1,
        // One that lasts for a time may be used as often as one likes.
        Some(grant) => match grant.get("uses_left") {
            None | Some(Value::Null) => u64::MAX,
            Some(uses) => uses.as_u64()?,
        },
    };
    Some(Answer {
        id: id.to_owned(),
        binding: value.get("binding")?.as_str()?.to_owned(),
        state,
        reviewer: text("reviewer"),
        reason: text("reason"),
        uses,
    })
}
