//! Asking an approval service, such as the desk: the question, what an approval is bound to, and what
//! the service's answers mean.
//!
//! The service speaks JSON over HTTP (docs/architecture.md, "One protocol for people"):
//!
//! | call | what it does |
//! |---|---|
//! | `POST /v1/approvals` | asks; the same binding asked again finds the same approval |
//! | `GET /v1/approvals/{id}?wait=S&asker=A` | waits up to S seconds for a decision, and takes nothing |
//! | `POST /v1/approvals/{id}/claim` | takes the approval, once for each claim id |
//! | `POST /v1/approvals/{id}/give_back` | gives back what was claimed for something that came to nothing |
//! | `POST /v1/approvals/{id}/cancel` | nobody waits any more |
//! | `POST /v1/approvals/{id}/answer` | has the answer kept, sealed, that the approval is about |
//! | `POST /v1/answers` | finds the approval about an answer to the same request that is kept |
//! | `GET /v1/approvals/{id}/answer` | fetches the sealed answer, once it is approved |
//!
//! An answer that is for another binding, another approval or another claim is none.

mod answer;
mod binding;
mod kept;
mod lately;
mod question;
mod section;
mod standing;
mod trouble;

#[cfg(test)]
mod tests;

use core::time::Duration;

use crate::call::{Call, Message};

pub use answer::{Answer, Decision, State, read_answer, read_claim};
pub use binding::{Binding, bind, digest, name};
pub use kept::{
    Answers, FIND_PATH, KEY_BYTES, KeptAnswer, MAX_FETCHED_BYTES, fetch, find, read_found,
    read_sealed,
};
pub use lately::{LAST_PUT, note_put, put_lately};
pub use question::{Body, Escalate, Grant, Question};
pub use section::{APPROVALS, Approvals, read};
pub use standing::{MAX_STANDING_BYTES, Poll, Reset, Scope, Standing};
pub use trouble::Trouble;

use serde::Serialize;

/// What a person is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// Whether a request may go on.
    Request,
    /// Whether an answer may.
    Answer,
}

/// Where questions go.
pub const ASK_PATH: &str = "/v1/approvals";

/// The service's answers are small; larger ones are rejected.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Where to wait for a decision on `id`, for up to `seconds`.
#[must_use]
pub fn wait_path(id: &str, asker: &str, seconds: u64) -> String {
    format!("{ASK_PATH}/{id}?wait={seconds}&asker={asker}")
}

/// Where something is done with the approval `id`.
#[must_use]
pub fn path_of(id: &str, what: &str) -> String {
    format!("{ASK_PATH}/{id}/{what}")
}

/// Where an approval is claimed, and with what.
#[must_use]
pub fn claim(id: &str, claim: &Claim<'_>) -> (String, Vec<u8>) {
    (path_of(id, "claim"), json(claim))
}

/// Where a claim is given back, and with what.
#[must_use]
pub fn give_back(id: &str, claim: &str, why: Why) -> (String, Vec<u8>) {
    (path_of(id, "give_back"), json(&GiveBack { claim, why }))
}

/// Where it is said that an asker is gone, and with what.
#[must_use]
pub fn cancel(id: &str, asker: &str) -> (String, Vec<u8>) {
    (path_of(id, "cancel"), json(&Cancel { asker }))
}

/// How an approval is claimed.
#[derive(Clone, Debug, Serialize)]
pub struct Claim<'a> {
    /// The claim's id, 32 hex digits: the same one claims once, however often it is sent.
    pub claim: &'a str,
    /// What the approval must be for.
    pub binding: &'a str,
    /// The exchange's record.
    pub exchange: &'a str,
    /// SHA-256 of the answer that goes, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<&'a str>,
}

/// Why a claim is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Nothing was answered, or nothing was asked after all.
    Unanswered,
    /// The model server failed.
    #[serde(rename = "status_5xx")]
    Status5xx,
}

#[derive(Serialize)]
struct GiveBack<'a> {
    claim: &'a str,
    why: Why,
}

#[derive(Serialize)]
struct Cancel<'a> {
    asker: &'a str,
}

/// Texts and numbers can always be written.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

impl Approvals {
    /// A call to the service: `GET` without a body, and `POST` with one. Its answer may take `longer`
    /// than usual.
    #[must_use]
    pub fn call<P>(
        &self,
        purpose: P,
        number: u64,
        (path, body): (String, Vec<u8>),
        longer: Duration,
    ) -> Call<P> {
        Call {
            purpose,
            number,
            cluster: self.cluster.clone(),
            authority: None,
            message: self.message(path, body),
            timeout: self.timeout.saturating_add(longer),
            max_answer_bytes: MAX_ANSWER_BYTES,
        }
    }

    fn message(&self, path: String, body: Vec<u8>) -> Message {
        let mut headers = Vec::new();
        let method = match body.is_empty() {
            true => "GET",
            false => "POST",
        };
        if !body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        if let Some(credential) = &self.credential {
            headers.push(("authorization", credential.clone()));
        }
        Message::Http {
            method,
            scheme: None,
            path,
            headers,
            body,
        }
    }
}
