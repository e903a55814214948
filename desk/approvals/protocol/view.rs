//! An approval as reviewers see it. Times are RFC 3339 with milliseconds, UTC.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ahead::Ahead;
use super::answer::{DecisionKind, Granted, State, Tally, WhyBack};
use super::question::{GrantTerms, Matter, ReasonRule};

/// One person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionView {
    /// Who decided.
    pub reviewer: String,
    /// For whom, if by a delegation.
    pub on_behalf_of: Option<String>,
    /// What was decided.
    pub decision: DecisionKind,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub time: String,
    /// Whether the rules for reviewers were set aside.
    pub break_glass: bool,
}

/// One use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimView {
    /// The exchange that it let go.
    pub exchange: String,
    /// When.
    pub time: String,
    /// Why it came back, if it did.
    pub given_back: Option<WhyBack>,
}

/// An approval: the members of its question, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// Its id: `apr_` and 32 hex digits.
    #[schemars(regex(pattern = r"^apr_[0-9a-f]{32}$"))]
    pub id: String,
    /// What it is bound to.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub binding: String,
    /// Its state.
    pub state: State,
    /// The name of the reviewer who decided last.
    pub reviewer: Option<String>,
    /// That reviewer's reason.
    pub reason: Option<String>,
    /// How many have approved.
    pub approvals: Tally,
    /// What is left, while it is approved.
    pub grant: Option<Granted>,
    /// What an approval is good for; without it, for one use within 30 minutes.
    pub asks_for: Option<GrantTerms>,
    /// For whom, which models and when else, of what was asked ahead of need.
    #[serde(flatten)]
    pub ahead: Ahead,
    /// Whether reviewers must give a reason.
    pub reasons: ReasonRule,
    /// When it was asked for.
    pub created: String,
    /// When the current state ends by itself; for a denial, when the same question may be asked
    /// anew. Without meaning once it is used, expired or revoked.
    pub expires: String,
    /// When it was decided.
    pub decided: Option<String>,
    /// When it was used up.
    pub used: Option<String>,
    /// The filter that asked.
    pub filter: Option<String>,
    /// The reviewer who asked ahead of need.
    pub requester: Option<String>,
    /// Who decided, in order.
    pub decisions: Vec<DecisionView>,
    /// Its latest uses.
    pub claims: Vec<ClaimView>,
    /// How many VMs of filters wait for it.
    pub waiting: usize,
    /// What was asked.
    #[serde(flatten)]
    pub matter: Matter,
    /// What the filter said that this version doesn't know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A page of approvals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approvals {
    /// Newest first, without the texts of their bodies.
    pub approvals: Vec<View>,
    /// The `before` of the next page, if there is one.
    pub next: Option<String>,
}
