//! What Envoy says of a stream that is over.

use super::api::Host;
use super::place::{Place, text};
use crate::exchange::Closing;

/// Envoy's attributes of the current stream, as they were read.
pub(super) struct Attributes {
    flags: Option<u64>,
    details: Option<String>,
    listener: Option<String>,
    peer: Option<String>,
    route: Option<String>,
    cluster: Option<String>,
    endpoint: Option<String>,
}

impl Attributes {
    /// Asks for all of them. Each is a host call, and nothing depends on any.
    pub(super) fn read(host: &impl Host) -> Self {
        let text = |path: &[&str]| text(host, path);
        let flags = host.property(&["response", "flags"]).ok();
        let flags = flags.and_then(|value| value.first_chunk().copied());
        Self {
            flags: flags.map(u64::from_le_bytes),
            details: text(&["response", "code_details"]),
            listener: text(&["destination", "address"]),
            peer: text(&["source", "address"]),
            route: text(&["xds", "route_name"]),
            cluster: text(&["xds", "cluster_name"]),
            endpoint: text(&["upstream", "address"]),
        }
    }

    /// `answered`: whether the end of a response came by.
    pub(super) fn closing<'a>(&'a self, place: &'a Place, answered: bool) -> Closing<'a> {
        Closing {
            answered,
            envoy: place.envoy.as_deref(),
            node: place.node.as_deref(),
            direction: place.direction,
            listener: self.listener.as_deref(),
            flags: self.flags,
            details: self.details.as_deref(),
            peer: self.peer.as_deref(),
            route: self.route.as_deref(),
            cluster: self.cluster.as_deref(),
            endpoint: self.endpoint.as_deref(),
        }
    }
}
