//! What reviewers say, and are answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ahead::Models;
use super::answer::{DecisionKind, State};
use super::calendar::Calendar;
use super::view::View;

/// The body of `POST /v1/approvals/{id}/approve`, `deny` and `revoke`; it may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// Why.
    pub reason: Option<String>,
    /// Sets the rules for reviewers aside, for those who may.
    #[serde(default)]
    pub break_glass: bool,
}

/// The body of `POST /v1/decisions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// The approvals: 1,000 at most.
    #[schemars(length(min = 1, max = 1000))]
    pub ids: Vec<String>,
    /// What is decided on all of them.
    pub decision: DecisionKind,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Why a decision in a list has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What became of one decision in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The approval's id.
    pub id: String,
    /// Its state, if the decision had an effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Why it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// The answer to `POST /v1/decisions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcomes {
    /// One for each id, in the same order.
    pub results: Vec<Outcome>,
}

/// The longest name of a group, in bytes.
pub(in crate::approvals) const MAX_GROUP_BYTES: usize = 1024;

/// The body of `POST /v1/access`: a question ahead of need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The issuer of the tokens for which it is; the caller's first without it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The subject, which is linked to the caller; the caller's first without it.
    #[serde(default)]
    pub subject: Option<String>,
    /// The group of the issuer's tokens for whose members it is, instead of a subject.
    #[serde(default)]
    #[schemars(length(min = 1, max = MAX_GROUP_BYTES))]
    pub group: Option<String>,
    /// The rule that wants approval.
    pub rule: String,
    /// What the rule says: SHA-256 in hex. Without it, the first question that it covers tells.
    #[serde(default)]
    pub rule_digest: Option<String>,
    /// The operation.
    pub operation: String,
    /// The model; without it and `models`, only requests that name none.
    #[serde(default)]
    pub model: Option<String>,
    /// `any` for all models, instead of one.
    #[serde(default)]
    pub models: Option<Models>,
    /// For how many seconds from the decision,
    #[serde(default, rename = "for")]
    pub seconds: Option<u64>,
    /// or when, from the decision on: in windows that come again each week.
    #[serde(default)]
    pub calendar: Option<Calendar>,
    /// How often; without it, as often as the time allows.
    #[serde(default)]
    pub uses: Option<u64>,
    /// Groups of reviewers, any of whom may decide: those that the rule names.
    pub reviewers: Vec<String>,
    /// How many people must approve: as many as the rule wants.
    #[serde(default = "one")]
    pub approvals: u32,
    /// What it is needed for.
    pub reason: String,
}

fn one() -> u32 {
    1
}

/// The answer to `GET /v1/grants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grants {
    /// Those that are good for more than one request, newest first, without the texts of their bodies.
    pub grants: Vec<View>,
    /// The `before` of the next page, if there is one.
    pub next: Option<String>,
}

/// The body of `POST /v1/blocks`: a subject or a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBlock {
    /// The issuer; without it, any.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The subject that is blocked,
    #[serde(default)]
    pub subject: Option<String>,
    /// or the token's id (`jti`).
    #[serde(default)]
    pub token_id: Option<String>,
    /// For how many seconds; without it, until it is taken away.
    #[serde(default, rename = "for")]
    pub seconds: Option<u64>,
    /// Why.
    pub reason: String,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// Its id: `blk_` and 32 hex digits.
    pub id: String,
    /// The issuer; `None` for any.
    pub issuer: Option<String>,
    /// The subject that is blocked,
    pub subject: Option<String>,
    /// or the token's id.
    pub token_id: Option<String>,
    /// Why.
    pub reason: String,
    /// Who blocked.
    pub reviewer: String,
    /// When.
    pub created: String,
    /// When it ends by itself.
    pub expires: Option<String>,
}

/// The answer to `GET /v1/blocks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blocks {
    /// Newest first.
    pub blocks: Vec<Block>,
    /// The `before` of the next page, if there is one.
    pub next: Option<String>,
}

/// The body of `POST /v1/delegations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delegate {
    /// The reviewer who is to decide instead.
    pub to: String,
    /// In which of the caller's groups.
    pub groups: Vec<String>,
    /// For how many seconds.
    #[serde(rename = "for")]
    pub seconds: u64,
}

/// A delegation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delegation {
    /// Its id: `dlg_` and 32 hex digits.
    pub id: String,
    /// Whose groups they are.
    pub from: String,
    /// Who decides instead.
    pub to: String,
    /// In which groups.
    pub groups: Vec<String>,
    /// When it was made.
    pub created: String,
    /// When it ends.
    pub expires: String,
}

/// The answer to `GET /v1/delegations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delegations {
    /// Newest first.
    pub delegations: Vec<Delegation>,
}
