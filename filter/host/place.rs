//! Which Envoy this is, and at what kind of listener: the same for all streams of a configuration.

use super::api::Host;

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Envoy's version.
    pub(super) envoy: Option<String>,
    /// The id of Envoy's node.
    pub(super) node: Option<String>,
    /// What the listener is for, if its configuration says so.
    pub(super) direction: Option<&'static str>,
}

impl Place {
    /// Asks for all of it. Only a stream can: its listener is the configuration's.
    pub(super) fn read(host: &impl Host) -> Self {
        let number = |path: &[&str]| {
            let value = host.property(path).ok()?;
            Some(u64::from_le_bytes(*value.first_chunk()?))
        };
        let part = |name| number(&["xds", "node", "user_agent_build_version", "version", name]);
        // A number that is 0 may be left out of the message.
        let envoy = part("major_number").map(|major| {
            let part = |name| part(name).unwrap_or_default();
            format!("{major}.{}.{}", part("minor_number"), part("patch"))
        });
        // `core.TrafficDirection` (envoy/config/core/v3/base.proto).
        let direction = match number(&["xds", "listener_direction"]) {
            Some(1) => Some("inbound"),
            Some(2) => Some("outbound"),
            _ => None,
        };
        Self {
            envoy,
            node: text(host, &["xds", "node", "id"]),
            direction,
        }
    }
}

/// A property of the current stream that is a text.
pub(super) fn text(host: &impl Host, path: &[&str]) -> Option<String> {
    String::from_utf8(host.property(path).ok()?).ok()
}
