//! Counts of quotas that are to be emptied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most texts of a key: filters take no more.
pub(in crate::approvals) const MAX_RESET_TEXTS: usize = 64;

/// For how long filters are told at most, in seconds.
pub(in crate::approvals) const MAX_RESET_SECONDS: u64 = 60 * 60;

/// The body of `POST /v1/resets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReset {
    /// The quota's name.
    pub quota: String,
    /// What is counted apart: for each dimension its name and its values, as `GET /v1/quotas` and records have it.
    #[schemars(length(max = MAX_RESET_TEXTS))]
    pub key: Vec<String>,
    /// For how many seconds filters are told: 15 minutes without it. An Envoy that doesn't hear of it in that time
    /// keeps its count.
    #[serde(default, rename = "for")]
    #[schemars(range(min = 1, max = MAX_RESET_SECONDS))]
    pub seconds: Option<u64>,
    /// Why.
    pub reason: String,
}

/// A count that is to be emptied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    /// Its id: `rst_` and 32 hex digits.
    pub id: String,
    /// The quota's name.
    pub quota: String,
    /// What is counted apart.
    pub key: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who wants it.
    pub reviewer: String,
    /// When that was said.
    pub created: String,
    /// Until when filters are told.
    pub expires: String,
}

/// The answer to `GET /v1/resets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resets {
    /// Newest first.
    pub resets: Vec<Reset>,
    /// The `before` of the next page, if there is one.
    pub next: Option<String>,
}
