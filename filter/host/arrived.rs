//! What has come to Envoy of a stream, whether or not it has handed that over.

use super::api::Host;
use crate::exchange::Arrived;

/// What the host has of the current stream.
pub(super) struct HostArrived<'a, H> {
    pub(super) host: &'a H,
    /// Bytes of the request that had come when they were last marked.
    pub(super) marked: u64,
}

impl<H: Host> Arrived for HostArrived<'_, H> {
    fn has_more_of_request(&self) -> bool {
        request_bytes(self.host) > self.marked
    }

    /// There is no count of an answer's bytes before they are sent. How long the upstream took is
    /// known once it has sent its last one.
    fn is_answered(&self) -> bool {
        self.host
            .property(&["response", "backend_latency"])
            .is_ok_and(|value| !value.is_empty())
    }
}

/// Bytes of the current stream's request. Its headers count as they are now, edits among them.
pub(super) fn request_bytes(host: &impl Host) -> u64 {
    let value = host
        .property(&["request", "total_size"])
        .unwrap_or_default();
    value
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
