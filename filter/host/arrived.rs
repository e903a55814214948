//! What has come to Envoy of a stream, whether or not it has handed that over.

use super::api::Host;
use crate::exchange::Arrived;

/// What the host has of the current stream.
pub(super) struct HostArrived<'a, H>(pub(super) &'a H);

impl<H: Host> Arrived for HostArrived<'_, H> {
    fn request_bytes(&self) -> Option<u64> {
        let value = self.0.property(&["request", "total_size"]).ok()?;
        value
            .first_chunk::<8>()
            .map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// There is no count of an answer's bytes before they are sent. How long the upstream took is
    /// known once it has sent its last one.
    fn is_answered(&self) -> bool {
        self.0
            .property(&["response", "backend_latency"])
            .is_ok_and(|value| !value.is_empty())
    }
}
