//! Clients and servers that nobody here wrote, as they come from PyPI and npm, with the filter
//! between: what they ask for and how they read it is theirs.

mod clients;
mod kserve;
mod readers;
mod server;
mod spellings;

use serde_json::{Value, json};

use crate::support::{ana, idp, policy};

/// A policy with these rules that finds tokens wherever clients put theirs.
fn everywhere(sections: &Value) -> Value {
    let mut policy = policy(sections);
    policy["identity"]["token"] = json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "x-api-key"},
        {"header": "api-key"},
    ]);
    policy
}

/// One request an hour.
fn scarce() -> Value {
    json!({"one": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1h"}})
}

/// What every driver is told: tokens by what is to become of them.
fn tokens() -> Value {
    json!({
        "good": ana(),
        "expired": idp().expired("ana", &["engineers"]),
        "denied": idp().good("sam", &["sales"]),
        "scarce": idp().good("gus", &["guests"]),
        "masked": idp().good("mia", &["masked"]),
    })
}

/// Both, the second's members winning.
fn with(mut all: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    all
}
