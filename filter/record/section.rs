//! `/sessions` of the policy: what is kept of an exchange.

use base::policy::{Form, Key, Node, Usual};
use serde_json::Value;

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
        "delivery",
        Usual::Text("stream"),
        "How records leave: through Envoy's access log.",
        &DELIVERY,
    ),
]);

static RECORD: Form = Form::names(&["metadata"]);
static DELIVERY: Form = Form::names(&["stream"]);

/// Checks the section. There is nothing to choose yet: one record an exchange, without bodies,
/// through Envoy's access log.
pub fn check(node: &Node<'_>) {
    let Some(object) = node.object() else { return };
    if let Some(record) = object.get("record") {
        if record.value().and_then(Value::as_str) == Some("full") {
            record.not_in_this_version("full session records (\"full\")");
        } else {
            let _ = record.name();
        }
    }
    let _ = object.name("delivery");
}
