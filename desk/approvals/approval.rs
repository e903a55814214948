//! An approval: its states, how long they last, and how it is shown.

use serde::Serialize;

use super::question::Question;

/// How long a question waits for a decision, from when it was asked, in milliseconds: 24 hours.
pub const PENDING_FOR: i64 = 24 * 60 * 60 * 1000;

/// How long an approval waits to be used, from the decision, in milliseconds: 30 minutes.
pub const APPROVED_FOR: i64 = 30 * 60 * 1000;

/// How long a denial answers the same question, from the decision, in milliseconds: 1 hour.
pub const DENIED_FOR: i64 = 60 * 60 * 1000;

/// The state of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No decision yet.
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

    /// The state with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a filter is told about its question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The approval's id: `apr_` and 32 hex digits.
    pub id: String,
    /// Its state.
    pub state: State,
    /// The reviewer's reason.
    pub reason: Option<String>,
    /// The name of the reviewer who decided.
    pub reviewer: Option<String>,
}

/// An approval as reviewers see it. Times are RFC 3339 with milliseconds, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// What the filter is told.
    #[serde(flatten)]
    pub answer: Answer,
    /// When it was asked for.
    pub created: String,
    /// When the current state ends by itself; for a denial, when the same question may be asked
    /// anew. Without meaning once it is used or expired.
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
