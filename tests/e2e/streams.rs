//! Streams through real Envoys: the same bytes come out however the model server's bytes arrive,
//! the official clients read them, and the worst of them takes no memory.

mod arrivals;
mod clients;
mod tools;
mod worst;

use portcullis::mask::policy::BUILT_IN_DETECTORS;
use serde_json::{Value, json};

use crate::support::policy;

/// A policy that masks every answer with every detector that needs no definition.
fn everything() -> Value {
    policy(&json!({
        "masks": {"all": {"detect": *BUILT_IN_DETECTORS}},
        "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["all"]}],
    }))
}
