//! `/sessions` of the policy: what is kept of an exchange.

use base::policy::{FLAG, Form, Key, Node, Usual};
use serde_json::Value;

/// `/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Whether records have digests of what passed.
    pub digests: bool,
}

/// `/sessions`.
pub static SESSIONS: Form = Form::object(&[
    Key::usually(
        "record",
        Usual::Text("metadata"),
        "What a record holds: everything about an exchange but its bodies.",
        &RECORD,
    ),
    Key::later("bodies", "bodies in session records (\"bodies\")"),
    Key::usually(
        "digests",
        Usual::Flag(false),
        "Whether a record has SHA-256 over the request's body as it went to the model server and over the response's as it went to the client, where the filter sees them. A digest costs time with each byte (docs/sessions.md).",
        &FLAG,
    ),
    Key::usually(
        "delivery",
        Usual::Text("stream"),
        "How records leave: through Envoy's access log.",
        &DELIVERY,
    ),
]);

static RECORD: Form = Form::names(&["metadata"]);
static DELIVERY: Form = Form::names(&["stream"]);

/// Reads `/sessions`.
#[must_use]
pub fn read(node: &Node<'_>) -> Option<Sessions> {
    let object = node.object()?;
    if let Some(record) = object.get("record") {
        if record.value().and_then(Value::as_str) == Some("full") {
            record.not_in_this_version("full session records (\"full\")");
        } else {
            let _ = record.name();
        }
    }
    let _ = object.name("delivery");
    Some(Sessions {
        digests: object.flag("digests").unwrap_or_default(),
    })
}
