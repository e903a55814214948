//! What Envoy says of a stream that is over.

use super::api::Host;
use crate::exchange::Closing;

/// Envoy's attributes of the current stream, as they were read.
pub(super) struct Attributes {
    flags: Option<u64>,
    details: Option<String>,
    peer: Option<String>,
    route: Option<String>,
    cluster: Option<String>,
    endpoint: Option<String>,
}

impl Attributes {
    /// Asks for all of them. Each is a host call, and nothing depends on any.
    pub(super) fn read(host: &impl Host) -> Self {
        let text = |path: &[&str]| String::from_utf8(host.property(path).ok()?).ok();
        let flags = host.property(&["response", "flags"]).ok();
        let flags = flags.and_then(|value| value.first_chunk().copied());
        Self {
            flags: flags.map(u64::from_le_bytes),
            details: text(&["response", "code_details"]),
            peer: text(&["source", "address"]),
            route: text(&["xds", "route_name"]),
            cluster: text(&["xds", "cluster_name"]),
            endpoint: text(&["upstream", "address"]),
        }
    }

    /// `answered`: whether the end of a response came by.
    pub(super) fn closing(&self, answered: bool) -> Closing<'_> {
        Closing {
            answered,
            flags: self.flags,
            details: self.details.as_deref(),
            peer: self.peer.as_deref(),
            route: self.route.as_deref(),
            cluster: self.cluster.as_deref(),
            endpoint: self.endpoint.as_deref(),
        }
    }
}
