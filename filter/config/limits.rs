//! `/limits` of the policy.

use super::reader::Node;
use super::units;

/// `/limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body that is read for a decision, in bytes.
    pub request_body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body: 8 << 20,
        }
    }
}

/// A body is held in the VM's memory while it is judged, and that memory is capped.
const MOST_REQUEST_BODY: u64 = 64 << 20;

pub(super) fn read(node: &Node<'_>) -> Option<Limits> {
    let object = node.object()?;
    let mut limits = Limits::default();
    if let Some(node) = object.optional("request_body")
        && let Some(size) = units::size(&node, 1, MOST_REQUEST_BODY)
    {
        limits.request_body = size;
    }
    object.later(
        "response_body",
        "a limit of the response's size (\"response_body\")",
    );
    object.later(
        "response_time",
        "a limit of the response's time (\"response_time\")",
    );
    object.later("timing_bucket", "coarse response times (\"timing_bucket\")");
    object.close();
    Some(limits)
}
