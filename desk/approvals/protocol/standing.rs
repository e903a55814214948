//! What holds without a question: `GET /v1/standing`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ahead::Models;

/// How long a filter may go by what it was told last, in milliseconds.
pub const LEASE_MILLIS: u64 = 2000;

/// A grant that is good for as many requests as its time allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandingGrant {
    /// The approval's id.
    pub id: String,
    /// Whose requests it covers: the issuer,
    pub issuer: String,
    /// the subject,
    pub subject: Option<String>,
    /// or a group.
    pub group: Option<String>,
    /// Of a group, whose requests it doesn't cover: subjects and e-mail addresses, in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub except: Vec<String>,
    /// The rule.
    pub rule: String,
    /// What the rule says: SHA-256 in hex.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub rule_digest: String,
    /// The operation; `None` for all.
    pub operation: Option<String>,
    /// The model; `None` for requests that name none, unless `models` says otherwise.
    pub model: Option<String>,
    /// `any` for all models, whatever else a request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Models>,
    /// For how many milliseconds more.
    pub left_ms: u64,
}

/// Somebody, or a token, that is refused everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandingBlock {
    /// The block's id.
    pub id: String,
    /// The issuer; `None` for any.
    pub issuer: Option<String>,
    /// The subject that is blocked,
    pub subject: Option<String>,
    /// or the token's id.
    pub token_id: Option<String>,
    /// For how many milliseconds more; `None` until it is taken away.
    pub left_ms: Option<u64>,
    /// Why.
    pub reason: String,
}

/// A count of a quota that is to be emptied, once in each Envoy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandingReset {
    /// The reset's id.
    pub id: String,
    /// The quota's name.
    pub quota: String,
    /// What is counted apart.
    #[schemars(length(max = 64))]
    pub key: Vec<String>,
    /// For how many milliseconds more.
    pub left_ms: u64,
}

/// Everything that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// The state that this is: the next `since`.
    pub revision: String,
    /// How long a filter may go by this, in milliseconds.
    pub lease_ms: u64,
    /// Grants without a number of uses.
    pub grants: Vec<StandingGrant>,
    /// Who is blocked.
    pub blocks: Vec<StandingBlock>,
    /// Which counts of quotas are to be emptied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resets: Vec<StandingReset>,
    /// Under which names answers are kept: the first 32 hex digits of each. Missing where that isn't all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Vec<String>>,
}

/// The answer to `GET /v1/standing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Standing {
    /// Something has changed, or the filter is new.
    Changed(Changed),
    /// Nothing has.
    Unchanged {
        /// As the filter said.
        revision: String,
        /// Always true.
        unchanged: bool,
    },
}
