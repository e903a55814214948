//! What Envoy and its virtual machine forbid, forget or get wrong, one test for each: the filter
//! gets along with all of it.

mod callouts;
mod headers;
mod held;
mod lengths;
mod trailers;
mod whole;

use serde_json::{Value, json};

use crate::support::policy;

/// A policy under which everything is allowed and every answer is masked.
fn masked() -> Value {
    masked_with(&json!({}))
}

/// As [`masked`], with these sections too.
fn masked_with(sections: &Value) -> Value {
    let mut all = json!({
        "masks": {"pii": {"detect": ["email", "credit_card"]}},
        "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]}],
    });
    all.as_object_mut()
        .unwrap()
        .extend(sections.as_object().unwrap().clone());
    policy(&all)
}

/// A policy under which a chat needs approval, with the desk at this cluster, and every answer is
/// masked.
fn gated(cluster: &str) -> Value {
    masked_with(&json!({
        "approvals": {"cluster": cluster, "wait": "20s", "timeout": "20s"},
        "rules": [
            {
                "name": "ask",
                "when": {"operation": ["inference.*"]},
                "then": {"approve": {"reviewers": ["leads"]}},
            },
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]},
        ],
    }))
}
