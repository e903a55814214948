//! Ways to a model server that don't lead through the filter.

use std::collections::BTreeSet;

use super::Said;
use crate::doctor::guard::Guard;
use crate::doctor::routes::Route;
use crate::doctor::setup::Manager;
use crate::doctor::{Finding, Patient};

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    if patient.guards.is_empty() {
        findings.push(
            Said {
                of: "Envoy".to_owned(),
                place: "config_dump#/configs".to_owned(),
                found: "no listener with the filter".to_owned(),
                expected: "an HTTP filter envoy.filters.http.wasm with a name that has \"portcullis\"",
                advice: "Put the filter in: envoy/plain/envoy.yaml shows where. Where a control plane \
                         delivers listeners, see whether this proxy is one that it selects.",
            }
            .error("no_filter"),
        );
        return;
    }
    let models = Models::of(patient);
    for manager in &patient.setup.managers {
        let guards = guards_of(patient, manager);
        routes(manager, &guards, &models, findings);
    }
    for pipe in &patient.setup.pipes {
        if let Some(cluster) = pipe.clusters.iter().find(|name| models.has_name(name)) {
            findings.push(
                Said {
                    of: format!("listener {:?}", pipe.listener),
                    place: pipe.place.clone(),
                    found: format!(
                        "a TCP proxy to {cluster:?}, a model server's: what goes there, the filter never sees"
                    ),
                    expected: "an HTTP connection manager with the filter, or another cluster",
                    advice: "Remove the listener, or have only those reach it who may reach the model \
                             server itself.",
                }
                .error("way_around"),
            );
        }
    }
}

fn guards_of<'a>(patient: &Patient<'a>, manager: &Manager<'_>) -> Vec<&'a Guard<'a>> {
    let all = patient.guards.iter();
    all.filter(|guard| guard.manager.place == manager.place)
        .collect()
}

fn routes(
    manager: &Manager<'_>,
    guards: &[&Guard<'_>],
    models: &Models,
    findings: &mut Vec<Finding>,
) {
    let of = format!("listener {:?}", manager.listener);
    let runs = |route: &Route<'_>| {
        let mut guards = guards.iter();
        guards.any(|guard| route.runs(guard.filter.name, guard.filter.is_off))
    };
    let never = !manager.routes.iter().any(runs);
    // A route of a hundred that is off says enough.
    let mut told = false;
    for route in manager.routes.iter().filter(|route| !runs(route)) {
        let known = route.clusters.iter().find(|name| models.has_name(name));
        // Who has put the filter in wants it; without it, a listener may be for something else.
        let other = route.clusters.first().filter(|_| !guards.is_empty());
        let (found, is_certain) = match (known, other, route.is_open) {
            (Some(cluster), _, _) => (format!("{cluster:?}, a model server's"), true),
            (None, Some(cluster), _) => (format!("{cluster:?}"), never),
            (None, None, true) => ("whichever cluster the request names".to_owned(), false),
            (None, None, false) => continue,
        };
        if told {
            continue;
        }
        told = true;
        let (what, place) = match guards.first() {
            Some(guard) => (
                "on which the filter is off",
                route.place_of(guard.filter.name),
            ),
            None => ("of a listener without the filter", route.at.shown()),
        };
        let said = Said {
            of: of.clone(),
            place,
            found: format!(
                "a route {what}, to {found}: what goes there is neither checked nor recorded"
            ),
            expected: "the filter on each route to a model server",
            advice: "Put the filter into this listener, take `disabled` out of typed_per_filter_config, or \
                     remove the route.",
        };
        findings.push(match is_certain {
            true => said.error("way_around"),
            false => said.warning("way_around"),
        });
    }
    for guard in guards {
        if guard.filter.is_matched {
            findings.push(
                Said {
                    of: of.clone(),
                    place: guard.filter.at.shown(),
                    found: "a matcher that says for which requests the filter runs".to_owned(),
                    expected: "the filter for all requests; rules say what may pass",
                    advice: "Take the filter out of ExtensionWithMatcher, or be sure that its matcher can't \
                             be led astray by a header.",
                }
                .warning("filter_is_matched"),
            );
        }
    }
}

/// The clusters of model servers: those that guarded routes lead to, and others with the same addresses.
struct Models {
    names: BTreeSet<String>,
}

impl Models {
    fn of(patient: &Patient<'_>) -> Self {
        let mut names = BTreeSet::new();
        for guard in patient.guards {
            for route in &guard.manager.routes {
                if route.runs(guard.filter.name, guard.filter.is_off) {
                    names.extend(route.clusters.iter().cloned());
                }
            }
        }
        let theirs: BTreeSet<String> = names
            .iter()
            .flat_map(|name| addresses(patient, name))
            .collect();
        for other in patient.setup.clusters.keys() {
            if addresses(patient, other)
                .iter()
                .any(|one| theirs.contains(one))
            {
                names.insert((*other).to_owned());
            }
        }
        Self { names }
    }

    fn has_name(&self, cluster: &str) -> bool {
        self.names.contains(cluster)
    }
}

fn addresses(patient: &Patient<'_>, cluster: &str) -> Vec<String> {
    let mut all = patient.setup.addresses(cluster);
    let hosts = patient.envoy.hosts(cluster);
    all.extend(hosts.into_iter().filter_map(|host| host.address));
    all
}
