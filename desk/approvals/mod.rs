//! Approvals: a filter asks, a person decides, and the decision is handed out once.
//!
//! A filter's question is bound to a digest of the request, the caller, the rule and the policy.
//! Asking the same question again finds the same approval:
//!
//! | it is | the answer to `POST /v1/approvals` |
//! |---|---|
//! | pending | `pending` |
//! | approved | `approved`, once; it is `used` from then on |
//! | denied, less than [`DENIED_FOR`] ago | `denied` |
//! | used, expired, or denied longer ago | `pending`, with a new approval |
//!
//! Of two who wait for the same approval, one gets `approved` and the other `used`: a wait never
//! makes a new approval, only asking does. An approval is marked as used before it is handed
//! out, so that a crash or a lost connection may waste one but never passes two requests.

mod api;
mod news;
mod question;
mod store;

use serde::Serialize;

pub use api::{Desk, routes};
pub use news::News;
pub use question::Question;
pub use store::{Limits, Trouble, ask, decide, list, look, take};

/// How long a question waits for a decision, from when it was asked, in milliseconds: 24 hours.
pub const PENDING_FOR: i64 = 24 * 60 * 60 * 1000;

/// How long an approval waits to be used, from the decision, in milliseconds: 30 minutes.
pub const APPROVED_FOR: i64 = 30 * 60 * 1000;

/// How long a denial answers the same question, from the decision, in milliseconds: 1 hour.
pub const DENIED_FOR: i64 = 60 * 60 * 1000;

/// The longest time that an answer is waited for, in seconds; a longer `wait` is cut to it.
pub const LONGEST_WAIT: u64 = 60;

/// How far an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has decided.
    Pending,
    /// Approved, and not handed out yet.
    Approved,
    /// Denied.
    Denied,
    /// Approved and handed out.
    Used,
    /// Nobody decided in time, or nobody came for the approval in time.
    Expired,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Approved,
        Self::Denied,
        Self::Used,
        Self::Expired,
    ];

    /// Its name in the API and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Used => "used",
            Self::Expired => "expired",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a filter is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The approval's id: `apr_` and 32 hex digits.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// What the reviewer wrote.
    pub reason: Option<String>,
    /// Who decided.
    pub reviewer: Option<String>,
}

/// What a reviewer is shown. Times are RFC 3339 with milliseconds, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Where it stands.
    #[serde(flatten)]
    pub answer: Answer,
    /// When it was asked for.
    pub created: String,
    /// When the current state ends by itself; for a denial, when the same question may be asked
    /// anew. It means nothing for what is used or expired.
    pub expires: String,
    /// When it was decided.
    pub decided: Option<String>,
    /// When it was handed out.
    pub used: Option<String>,
    /// The filter that asked.
    pub filter: String,
    /// What was asked.
    #[serde(flatten)]
    pub question: Question,
}
