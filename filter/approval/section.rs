//! `/approvals` of the policy: how the desk is reached.

use core::time::Duration;

use base::policy::{CLUSTER, Form, Key, Node, SECRET, Usual};

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

/// `/approvals`.
pub static APPROVALS: Form = Form::object(&[
    Key::required("cluster", "The Envoy cluster of the desk.", &CLUSTER),
    Key::optional(
        "credential",
        "The `authorization` that the desk knows this filter by.",
        &SECRET,
    ),
    Key::usually(
        "wait",
        Usual::Text("25s"),
        "How long a request is held for a person's decision. After that its client is told to come back.",
        &WAIT,
    ),
    Key::usually(
        "timeout",
        Usual::Text("2s"),
        "How long the desk may take to answer, beyond the time it was asked to wait.",
        &TIMEOUT,
    ),
    Key::usually(
        "on_failure",
        Usual::Text("deny"),
        "What happens while the desk is away. Nothing else can be chosen: a request that a person must see never passes because nobody could be asked.",
        &ON_FAILURE,
    ),
]);

static WAIT: Form = Form::duration(Duration::from_millis(1), Duration::from_secs(600));
// Zero would be no timeout at all for Envoy.
static TIMEOUT: Form = Form::duration(Duration::from_millis(1), Duration::from_secs(60));
static ON_FAILURE: Form = Form::names(&["deny"]);

/// Reads `/approvals`.
#[must_use]
pub fn read(node: &Node<'_>) -> Option<Approvals> {
    let object = node.object()?;
    let cluster = object.text("cluster");
    let credential = object.get("credential").map(|node| node.secret());
    let wait = object.duration("wait");
    let timeout = object.duration("timeout");
    object.name("on_failure")?;
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
