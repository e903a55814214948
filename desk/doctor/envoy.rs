//! What an Envoy tells at its admin port.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Uri;
use serde_json::Value;

use crate::look::{Looker, is_here};

/// How long the admin port may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest answer that is read, in bytes: a module may stand in the configuration, in base64.
const MAX_ANSWER_BYTES: u64 = 128 << 20;

/// The counters that are asked for.
const STATS: &str = "^(wasm|wasmcustom|access_logs|cluster|http)\\.";

/// An Envoy.
pub(super) struct Envoy {
    /// `/config_dump`.
    pub(super) dump: Value,
    /// `/clusters`.
    pub(super) clusters: Value,
    /// `/stats`, by name.
    pub(super) stats: BTreeMap<String, u64>,
    /// `/server_info`.
    pub(super) server: Value,
    /// `/certs`.
    pub(super) certs: Value,
    /// How far its clock is ahead of this machine's, in seconds.
    pub(super) ahead: Option<i64>,
    /// Whether it runs on this machine.
    pub(super) is_here: bool,
}

impl Envoy {
    /// Asks an admin port for all.
    pub(super) fn ask(admin: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "--admin {admin}: expected http:// or https:// and a host, as in http://127.0.0.1:9901"
            )
        };
        let uri: Uri = admin.parse().map_err(|_| wrong())?;
        let host = uri.host().ok_or_else(wrong)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || admin.contains('@') {
            return Err(wrong());
        }
        let base = admin.trim_end_matches('/');
        let looker = Looker::new(PATIENCE, MAX_ANSWER_BYTES);
        let get = |path: &str| {
            let answer = looker
                .get(&format!("{base}{path}"), None)
                .map_err(|error| {
                    format!("{base}{path}: can't be read: {error}. Is it Envoy's admin address?")
                })?;
            match answer.status {
                200 => Ok(answer),
                status => Err(format!("{base}{path}: found status {status}, expected 200")),
            }
        };
        let json = |path: &str| {
            let value = get(path)?.json();
            match value.is_object() {
                true => Ok(value),
                false => Err(format!(
                    "{base}{path}: found no JSON object, expected Envoy's"
                )),
            }
        };
        let info = get("/server_info")?;
        Ok(Self {
            dump: json("/config_dump?include_eds")?,
            clusters: json("/clusters?format=json")?,
            stats: counters(&json(&format!("/stats?format=json&filter={STATS}"))?),
            server: info.json(),
            certs: json("/certs")?,
            ahead: info.ahead,
            is_here: is_here(host),
        })
    }

    /// Its version, such as `1.40.0`.
    pub(super) fn version(&self) -> Option<String> {
        let said = self.server.get("version")?.as_str()?;
        said.split('/').nth(1).map(str::to_owned)
    }

    /// For how many seconds it has run.
    pub(super) fn age(&self) -> u64 {
        let said = self.server.get("uptime_current_epoch");
        let said = said.and_then(Value::as_str).unwrap_or_default();
        said.trim_end_matches('s').parse().unwrap_or_default()
    }

    /// A counter or gauge; nothing where there is none of that name.
    pub(super) fn stat(&self, name: &str) -> Option<u64> {
        self.stats.get(name).copied()
    }

    /// The counters and gauges with a name that begins so, each with the rest of its name.
    pub(super) fn stats_of<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        self.stats.iter().filter_map(move |(name, value)| {
            let rest = name.strip_prefix(prefix)?;
            Some((rest, *value))
        })
    }

    /// The hosts of a cluster, as Envoy has resolved them.
    pub(super) fn hosts(&self, cluster: &str) -> Vec<Host> {
        let clusters = self.clusters.get("cluster_statuses");
        let clusters = clusters.and_then(Value::as_array);
        let found = clusters.into_iter().flatten();
        let found = found.filter(|one| one.get("name").and_then(Value::as_str) == Some(cluster));
        let hosts = found.filter_map(|one| one.get("host_statuses")?.as_array());
        hosts.flatten().map(Host::of).collect()
    }
}

/// One address of a cluster.
pub(super) struct Host {
    /// Address and port, as in a URL.
    pub(super) address: Option<String>,
    /// Whether the address is this machine's own.
    pub(super) is_loopback: bool,
    /// Whether health checks or outlier detection have taken it out.
    pub(super) is_out: bool,
    stats: BTreeMap<String, u64>,
}

impl Host {
    fn of(status: &Value) -> Self {
        let socket = status.pointer("/address/socket_address");
        let ip = socket.and_then(|one| one.get("address")?.as_str());
        let port = socket.and_then(|one| one.get("port_value")?.as_u64());
        let address = ip.zip(port).map(|(ip, port)| match ip.contains(':') {
            true => format!("[{ip}]:{port}"),
            false => format!("{ip}:{port}"),
        });
        let health = status.get("health_status").and_then(Value::as_object);
        let is_out = health.is_some_and(|health| {
            health.iter().any(|(name, value)| {
                name.starts_with("failed_") && value.as_bool() == Some(true)
                    || name == "eds_health_status" && value.as_str() == Some("UNHEALTHY")
            })
        });
        let stats = status.get("stats").and_then(Value::as_array);
        Self {
            is_loopback: ip.is_some_and(is_here),
            address,
            is_out,
            stats: stats.into_iter().flatten().filter_map(stat).collect(),
        }
    }

    /// One of its counters.
    pub(super) fn stat(&self, name: &str) -> u64 {
        self.stats.get(name).copied().unwrap_or_default()
    }
}

/// All plain numbers of `/stats?format=json`.
pub(super) fn counters(stats: &Value) -> BTreeMap<String, u64> {
    let all = stats.get("stats").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(stat).collect()
}

/// A number by its name. Zero is left out, and large numbers are texts.
fn stat(value: &Value) -> Option<(String, u64)> {
    let name = value.get("name")?.as_str()?.to_owned();
    let number = match value.get("value") {
        None => 0,
        Some(Value::String(text)) => text.parse().ok()?,
        Some(other) => other.as_u64()?,
    };
    Some((name, number))
}
