//! Input that nobody sends by accident: each is clearly refused or passes as it is, no virtual
//! machine ends by it, and nothing that a mask covers gets through.

mod heads;
mod messages;
mod requests;
mod responses;
mod sizes;

use serde_json::{Value, json};

use crate::support::policy;

/// A policy that reads the body of every request whose body can be read, and masks every answer.
fn strict() -> Value {
    policy(&json!({
        "limits": {"request_body": "1MiB"},
        "patterns": {"probe": {"any_of": ["open sesame"]}},
        "masks": {"pii": {"detect": ["email", "credit_card"]}},
        "rules": [
            {"name": "probes", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]},
        ],
    }))
}
