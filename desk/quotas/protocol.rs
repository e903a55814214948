//! What goes over the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One count of one Envoy, as it was told last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// The quota's name.
    pub quota: String,
    /// What is counted apart: for each dimension its name and its values.
    pub key: Vec<String>,
    /// How much there may be; of a bucket, its burst.
    pub limit: u64,
    /// How much of it was taken,
    pub used: u64,
    /// and how much was left,
    pub remaining: u64,
    /// at this time, by Envoy's clock (RFC 3339).
    pub time: String,
    /// When all of it is there again if nobody takes more; `None` for what is in flight.
    pub until: Option<String>,
    /// The filter that told it; `None` for one without a key.
    pub filter: Option<String>,
    /// The id of Envoy's node: each counts for itself.
    pub node: Option<String>,
}

/// The answer to `GET /v1/quotas`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Figured {
    /// Those that were told last come first.
    pub quotas: Vec<Figure>,
    /// Since when the desk listens: what was charged before, it doesn't know.
    pub since: String,
    /// The `before` of the next page, if there is one.
    pub next: Option<String>,
}
