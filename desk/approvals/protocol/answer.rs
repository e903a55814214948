//! What filters are told, and what they say behind their question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not enough people have decided yet.
    Pending,
    /// Approved, and not used up.
    Approved,
    /// Denied.
    Denied,
    /// Approved and used up.
    Used,
    /// Nobody decided in time, or the time to use it is over.
    Expired,
    /// Approved, and taken back.
    Revoked,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Approved,
        Self::Denied,
        Self::Used,
        Self::Expired,
        Self::Revoked,
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
            Self::Revoked => "revoked",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What may be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecisionKind {
    /// Yes.
    Approve,
    /// No.
    Deny,
    /// No longer.
    Revoke,
}

/// How many people have approved, of how many who must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// How many have.
    pub have: u32,
    /// How many must.
    pub want: u32,
}

/// What is left of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Granted {
    /// For how many milliseconds more; of what holds by a calendar, until it closes, and 0 while it is closed.
    pub left_ms: u64,
    /// How often more; without a number, as often as the time allows.
    pub uses_left: Option<u64>,
}

/// The answer to asking, waiting and cancelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The approval's id: `apr_` and 32 hex digits.
    #[schemars(regex(pattern = r"^apr_[0-9a-f]{32}$"))]
    pub id: String,
    /// As it was asked; behind a wait, as it was asked first.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub binding: String,
    /// The state.
    pub state: State,
    /// The name of the reviewer who decided last.
    pub reviewer: Option<String>,
    /// That reviewer's reason.
    pub reason: Option<String>,
    /// How many have approved.
    pub approvals: Tally,
    /// What is left, while it is approved.
    pub grant: Option<Granted>,
}

/// The body of `POST /v1/approvals/{id}/claim`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// The claim's own id: 32 hex digits, random. The same one again takes nothing more.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub claim: String,
    /// What is about to go.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub binding: String,
    /// The exchange that goes.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub exchange: String,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClaimState {
    /// It holds: the request may go.
    Claimed,
    /// Nobody has decided yet.
    Pending,
    /// It was denied.
    Denied,
    /// It is used up.
    Used,
    /// It is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claimed {
    /// The approval's id.
    #[schemars(regex(pattern = r"^apr_[0-9a-f]{32}$"))]
    pub id: String,
    /// As it was claimed.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub binding: String,
    /// The claim's id.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub claim: String,
    /// What became of it.
    pub state: ClaimState,
    /// What is left.
    pub grant: Option<Granted>,
}

/// Why a claim comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyBack {
    /// Nothing was answered.
    Unanswered,
    /// The answer's status was 5xx.
    #[serde(rename = "status_5xx")]
    Status5xx,
}

/// The body of `POST /v1/approvals/{id}/give_back`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GiveBack {
    /// The claim that comes back.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub claim: String,
    /// Why.
    pub why: WhyBack,
}

/// The body of `POST /v1/approvals/{id}/cancel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cancel {
    /// Who waits no more.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub asker: String,
}
