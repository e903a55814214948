//! Answers that are kept until they are approved, and asked for again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Answer;

/// The longest that an answer is kept, in seconds: a day.
pub const MAX_KEPT_SECONDS: u64 = 24 * 60 * 60;

/// The largest sealed answer, in bytes.
pub const MAX_SEALED_BYTES: usize = (4 << 20) + 4096;

/// The body of `POST /v1/approvals/{id}/answer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keep {
    /// The name by which answers to the same request are found, which the filter makes so that it tells nothing.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub request: String,
    /// The answer, sealed by the filter, in base64. Nobody else can read it.
    pub sealed: String,
    /// For how many seconds it is kept.
    #[schemars(range(min = 1, max = MAX_KEPT_SECONDS))]
    pub keep: u64,
}

/// The body of `POST /v1/answers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Find {
    /// The name by which answers to the same request are found.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub request: String,
    /// Who waits, if it is pending: 32 hex digits, one for each VM and request.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub asker: String,
}

/// The answer to it: how it stands with the approval of an answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// As it was asked.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub request: String,
    /// The approval.
    #[serde(flatten)]
    pub answer: Answer,
}

/// The answer to `GET /v1/approvals/{id}/answer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sealed {
    /// The approval's id.
    #[schemars(regex(pattern = r"^apr_[0-9a-f]{32}$"))]
    pub id: String,
    /// The answer, as it was put.
    pub sealed: String,
}
