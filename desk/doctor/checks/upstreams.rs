//! Credentials that the policy has for clusters, and the clusters that routes name.

use std::collections::BTreeSet;

use super::Said;
use crate::doctor::{Finding, Patient};

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for guard in patient.guards {
        for route in &guard.manager.routes {
            for name in &route.clusters {
                if !patient.setup.clusters.contains_key(name.as_str()) && seen.insert(name) {
                    findings.push(
                        Said {
                            of: guard.shown(),
                            place: route.at.shown(),
                            found: format!(
                                "a route to the cluster {name:?}, which Envoy doesn't have"
                            ),
                            expected: "the name of one of Envoy's clusters",
                            advice: "Add the cluster, or have the route name another.",
                        }
                        .error("cluster_missing"),
                    );
                }
            }
        }
    }
    for policy in patient.counting() {
        for (index, scoped) in policy.policy().upstream.credentials.iter().enumerate() {
            let mut names = patient.setup.clusters.keys();
            let fits = |name: &str| scoped.clusters.iter().any(|glob| glob.matches(name));
            if !scoped.clusters.is_empty() && !names.any(|name| fits(name)) {
                findings.push(
                    Said {
                        of: policy.name.clone(),
                        place: format!("policy#/upstream/credentials/{index}/cluster"),
                        found: "a credential for clusters of which Envoy has none".to_owned(),
                        expected: "names of Envoy's clusters",
                        advice: "Correct the names: requests to the cluster that is meant go without this \
                                 credential.",
                    }
                    .warning("credential_unused"),
                );
            }
        }
    }
}
