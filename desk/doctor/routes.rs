//! Where routes lead, and whether a filter runs on them.

use std::collections::BTreeMap;

use super::places::At;

/// A route.
#[derive(Clone, Debug)]
pub(super) struct Route<'a> {
    /// The route.
    pub(super) at: At<'a>,
    /// The action that sends requests on.
    pub(super) action: At<'a>,
    /// The clusters that it may choose.
    pub(super) clusters: Vec<String>,
    /// Whether the request names the cluster, or a plugin does.
    pub(super) is_open: bool,
    /// What says per route which filters run: the nearest first.
    levels: Vec<At<'a>>,
    /// The same for each of several clusters, where a route has several.
    of_clusters: Vec<At<'a>>,
}

impl Route<'_> {
    /// Whether a filter that is on, or off, runs on this route.
    pub(super) fn runs(&self, filter: &str, is_off: bool) -> bool {
        let usual = !is_off;
        let route = self.levels.iter().find_map(|level| said(level, filter));
        let route = route.unwrap_or(usual);
        match self.of_clusters.is_empty() {
            true => route,
            false => {
                let mut each = self.of_clusters.iter();
                each.all(|level| said(level, filter).unwrap_or(route))
            }
        }
    }

    /// Where it says so.
    pub(super) fn place_of(&self, filter: &str) -> String {
        let levels = self.of_clusters.iter().chain(&self.levels);
        let mut said = levels.filter_map(|at| at.at(&["typed_per_filter_config", filter]));
        said.next().unwrap_or_else(|| self.at.clone()).shown()
    }
}

/// Whether a filter runs, by one level's word.
fn said(level: &At<'_>, filter: &str) -> Option<bool> {
    let config = level.at(&["typed_per_filter_config", filter])?;
    Some(!config.flag("disabled"))
}

/// The routes of a manager, wherever they were delivered.
pub(super) fn all<'a>(manager: &At<'a>, delivered: &BTreeMap<&'a str, At<'a>>) -> Vec<Route<'a>> {
    let mut configs: Vec<At<'a>> = manager.get("route_config").into_iter().collect();
    let rds = manager.get("rds");
    let named = rds.and_then(|rds| rds.text("route_config_name"));
    configs.extend(named.and_then(|name| delivered.get(name).cloned()));
    let mut routes = Vec::new();
    for config in &configs {
        for host in config.items("virtual_hosts") {
            for at in host.items("routes") {
                let Some(action) = at.get("route") else {
                    continue;
                };
                routes.push(Route {
                    clusters: clusters(&action),
                    is_open: action.get("cluster_header").is_some()
                        || action.get("cluster_specifier_plugin").is_some()
                        || action.get("inline_cluster_specifier_plugin").is_some(),
                    levels: vec![at.clone(), host.clone(), config.clone()],
                    of_clusters: weighted(&action),
                    at,
                    action,
                });
            }
        }
    }
    routes
}

fn weighted<'a>(action: &At<'a>) -> Vec<At<'a>> {
    let weighted = action.get("weighted_clusters");
    weighted.map(|at| at.items("clusters")).unwrap_or_default()
}

/// The clusters that an action or a TCP proxy names, those of mirrors among them.
pub(super) fn clusters(action: &At<'_>) -> Vec<String> {
    let mut names: Vec<String> = action
        .text("cluster")
        .map(str::to_owned)
        .into_iter()
        .collect();
    let several = weighted(action);
    names.extend(
        several
            .iter()
            .filter_map(|one| one.text("name"))
            .map(str::to_owned),
    );
    let mirrors = action.items("request_mirror_policies");
    names.extend(
        mirrors
            .iter()
            .filter_map(|one| one.text("cluster"))
            .map(str::to_owned),
    );
    names
}
