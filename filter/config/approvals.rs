//! `/approvals` of the policy: how the desk is reached.

use core::time::Duration;

use super::reader::Node;
use super::units;

/// `/approvals`.
#[derive(Clone, PartialEq, Eq)]
pub struct Approvals {
    /// The Envoy cluster of the desk.
    pub cluster: String,
    /// The `authorization` that the desk knows this filter by.
    pub credential: Option<String>,
    /// How long a request is held for a person's decision.
    pub wait: Duration,
    /// How long the desk may take to answer a question (beyond the time it was asked to wait).
    pub timeout: Duration,
}

impl core::fmt::Debug for Approvals {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Approvals")
            .field("cluster", &self.cluster)
            .field("wait", &self.wait)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

pub(super) fn read(node: &Node<'_>) -> Option<Approvals> {
    let object = node.object()?;
    let cluster = object
        .required("cluster")
        .and_then(|node| node.string().map(str::to_owned));
    let credential = object.optional("credential").map(|node| node.secret());
    let wait = object
        .optional("wait")
        .map_or(Some(Duration::from_secs(25)), |node| {
            units::duration(&node, Duration::from_millis(1), Duration::from_secs(600))
        });
    // Zero would be no timeout at all for Envoy.
    let timeout = object
        .optional("timeout")
        .map_or(Some(Duration::from_secs(2)), |node| {
            units::duration(&node, Duration::from_millis(1), Duration::from_secs(60))
        });
    if let Some(node) = object.optional("on_failure") {
        // A request that a person must see is never passed because nobody could be asked.
        node.one_of(&["deny"]);
    }
    object.close();
    Some(Approvals {
        cluster: cluster?,
        credential: match credential {
            None => None,
            Some(read) => Some(read?),
        },
        wait: wait?,
        timeout: timeout?,
    })
}
