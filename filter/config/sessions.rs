//! `/sessions` of the policy: what is kept of an exchange.

use super::reader::Node;

/// Checks the section. There is nothing to choose yet: one record an exchange, without bodies,
/// through Envoy's access log.
pub(super) fn read(node: &Node<'_>) {
    let Some(object) = node.object() else { return };
    if let Some(record) = object.optional("record") {
        if record.value().as_str() == Some("full") {
            record.not_in_this_version("full session records (\"full\")");
        } else {
            record.one_of(&["metadata"]);
        }
    }
    object.later("bodies", "bodies in session records (\"bodies\")");
    if let Some(delivery) = object.optional("delivery") {
        delivery.one_of(&["stream"]);
    }
    object.close();
}
