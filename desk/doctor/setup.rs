//! What matters in Envoy's configuration: which ways lead to which clusters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::places::At;
use super::routes::{self, Route};

/// A configuration.
pub(super) struct Setup<'a> {
    /// HTTP connection managers.
    pub(super) managers: Vec<Manager<'a>>,
    /// Ways of bytes that no HTTP filter sees.
    pub(super) pipes: Vec<Pipe>,
    /// Clusters, by name.
    pub(super) clusters: BTreeMap<&'a str, At<'a>>,
    /// What Envoy was told and didn't take.
    pub(super) refused: Vec<Refused>,
    /// Envoy's bootstrap.
    pub(super) bootstrap: Option<At<'a>>,
}

/// An HTTP connection manager of a listener.
#[derive(Clone, Debug)]
pub(super) struct Manager<'a> {
    /// The listener's name.
    pub(super) listener: String,
    /// The listener.
    pub(super) of: At<'a>,
    /// The manager.
    pub(super) config: At<'a>,
    /// Its place.
    pub(super) place: String,
    /// HTTP filters, in their order.
    pub(super) filters: Vec<HttpFilter<'a>>,
    /// Routes, in their order.
    pub(super) routes: Vec<Route<'a>>,
}

/// An HTTP filter.
#[derive(Clone, Debug)]
pub(super) struct HttpFilter<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Where it stands in the manager.
    pub(super) at: At<'a>,
    /// The name of its configuration's message, and the message, wherever that was delivered.
    pub(super) config: Option<(&'a str, At<'a>)>,
    /// Whether a matcher says for which requests it runs.
    pub(super) is_matched: bool,
    /// Whether it is off but where a route says otherwise.
    pub(super) is_off: bool,
}

/// A TCP proxy.
pub(super) struct Pipe {
    pub(super) listener: String,
    pub(super) place: String,
    pub(super) clusters: Vec<String>,
}

/// A resource that Envoy didn't take.
pub(super) struct Refused {
    pub(super) of: String,
    pub(super) place: String,
}

impl<'a> Setup<'a> {
    /// Finds what matters in a dump.
    pub(super) fn of(dump: &'a Value) -> Self {
        let root = At::new(dump, String::new());
        let mut parts = Parts::default();
        for section in root.items("configs") {
            parts.take(&section);
        }
        let mut setup = Self {
            managers: Vec::new(),
            pipes: Vec::new(),
            clusters: parts.clusters,
            refused: parts.refused,
            bootstrap: parts.bootstrap,
        };
        for listener in &parts.listeners {
            let name = listener.text("name").unwrap_or("without a name");
            let chains = listener.items("filter_chains");
            let usual = listener.get("default_filter_chain");
            for chain in chains.iter().chain(&usual) {
                for filter in chain.items("filters") {
                    let Some((kind, config)) = filter.typed() else {
                        continue;
                    };
                    if kind.ends_with("HttpConnectionManager") {
                        setup.managers.push(Manager {
                            listener: name.to_owned(),
                            of: listener.clone(),
                            place: config.place.clone(),
                            filters: filters(&config, &parts.extensions),
                            routes: routes::all(&config, &parts.routes),
                            config,
                        });
                    } else if kind.ends_with(".TcpProxy") {
                        setup.pipes.push(Pipe {
                            listener: name.to_owned(),
                            place: config.shown(),
                            clusters: routes::clusters(&config),
                        });
                    }
                }
            }
        }
        setup
    }

    /// The addresses of a cluster, as they are configured.
    pub(super) fn addresses(&self, cluster: &str) -> Vec<String> {
        let Some(cluster) = self.clusters.get(cluster) else {
            return Vec::new();
        };
        let groups = cluster.get("load_assignment");
        let groups = groups.map(|at| at.items("endpoints")).unwrap_or_default();
        let endpoints = groups.iter().flat_map(|group| group.items("lb_endpoints"));
        endpoints
            .filter_map(|one| {
                let socket = one.at(&["endpoint", "address", "socket_address"])?;
                let port = socket.number("port_value")?;
                Some(format!("{}:{port}", socket.text("address")?))
            })
            .collect()
    }

    /// Whether a cluster speaks HTTP/2 and nothing else.
    pub(super) fn has_http2(&self, cluster: &str) -> bool {
        let Some(cluster) = self.clusters.get(cluster) else {
            return false;
        };
        let options = cluster.get("typed_extension_protocol_options");
        let options = options.map(|at| at.members()).unwrap_or_default();
        cluster.get("http2_protocol_options").is_some()
            || options.iter().any(|(_, at)| {
                let explicit = at.at(&["explicit_http_config", "http2_protocol_options"]);
                let same = at.at(&["use_downstream_protocol_config", "http2_protocol_options"]);
                let auto = at.get("auto_config");
                explicit.or(same).or(auto).is_some()
            })
    }

    /// Whether connections to a cluster are encrypted.
    pub(super) fn has_tls(&self, cluster: &str) -> bool {
        let cluster = self.clusters.get(cluster);
        cluster.is_some_and(|at| {
            at.get("transport_socket").is_some() || at.get("transport_socket_matches").is_some()
        })
    }
}

/// Sections of a dump, sorted.
#[derive(Default)]
struct Parts<'a> {
    bootstrap: Option<At<'a>>,
    listeners: Vec<At<'a>>,
    clusters: BTreeMap<&'a str, At<'a>>,
    routes: BTreeMap<&'a str, At<'a>>,
    extensions: BTreeMap<&'a str, At<'a>>,
    refused: Vec<Refused>,
}

impl<'a> Parts<'a> {
    fn take(&mut self, section: &At<'a>) {
        if let Some(bootstrap) = section.get("bootstrap") {
            self.bootstrap = Some(bootstrap);
        }
        for one in section.items("static_listeners") {
            self.listeners.extend(one.get("listener"));
        }
        for one in section.items("dynamic_listeners") {
            self.refusal("listener", one.text("name"), &one);
            // One that warms is there soon; one that drains has been replaced.
            let active = one.get("active_state").or_else(|| one.get("warming_state"));
            self.listeners
                .extend(active.and_then(|at| at.get("listener")));
        }
        for list in [
            "static_clusters",
            "dynamic_active_clusters",
            "dynamic_warming_clusters",
        ] {
            for one in section.items(list) {
                self.refusal("cluster", None, &one);
                if let Some(cluster) = one.get("cluster")
                    && let Some(name) = cluster.text("name")
                {
                    self.clusters.insert(name, cluster);
                }
            }
        }
        for list in ["static_route_configs", "dynamic_route_configs"] {
            for one in section.items(list) {
                self.refusal("routes", None, &one);
                if let Some(routes) = one.get("route_config")
                    && let Some(name) = routes.text("name")
                {
                    self.routes.insert(name, routes);
                }
            }
        }
        for one in section.items("ecds_filters") {
            self.refusal("filter", None, &one);
            if let Some(filter) = one.get("ecds_filter")
                && let Some(name) = filter.text("name")
            {
                self.extensions.insert(name, filter);
            }
        }
    }

    fn refusal(&mut self, what: &str, name: Option<&str>, one: &At<'a>) {
        let Some(error) = one.get("error_state") else {
            return;
        };
        let name = name.map_or_else(|| "delivered".to_owned(), |name| format!("{name:?}"));
        self.refused.push(Refused {
            of: format!("{what} {name}"),
            place: error.shown(),
        });
    }
}

/// The HTTP filters of a manager.
fn filters<'a>(manager: &At<'a>, extensions: &BTreeMap<&'a str, At<'a>>) -> Vec<HttpFilter<'a>> {
    let all = manager.items("http_filters").into_iter();
    all.map(|at| {
        let name = at.text("name").unwrap_or_default();
        let mut config = at.typed();
        if let Some(discovery) = at.get("config_discovery") {
            config = match extensions.get(name) {
                Some(delivered) => delivered.typed(),
                None => discovery
                    .get("default_config")
                    .and_then(|at| at.unwrapped()),
            };
        }
        let mut is_matched = false;
        if let Some((kind, outer)) = &config
            && kind.ends_with("ExtensionWithMatcher")
        {
            is_matched = true;
            config = outer.get("extension_config").and_then(|at| at.typed());
        }
        HttpFilter {
            name,
            is_off: at.flag("disabled"),
            config,
            is_matched,
            at,
        }
    })
    .collect()
}
