//! The clusters that the policy names.

use std::collections::BTreeSet;

use super::Said;
use crate::doctor::loaded::Purpose;
use crate::doctor::{Finding, Patient, Severity};

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for policy in patient.counting() {
        for named in policy.clusters() {
            if !seen.insert((named.cluster.clone(), named.path.clone())) {
                continue;
            }
            let of = format!("cluster {:?}", named.cluster);
            let Some(cluster) = patient.setup.clusters.get(named.cluster.as_str()) else {
                findings.push(
                    Said {
                        of,
                        place: format!("policy#{}", named.path),
                        found: format!("a cluster that Envoy doesn't have, in {}", policy.name),
                        expected: "the name of one of Envoy's clusters",
                        advice: match named.purpose {
                            Purpose::Desk => "Add the cluster: envoy/plain/envoy.yaml has `desk`. Until then \
                                              what needs the desk is refused.",
                            _ => "Add the cluster: envoy/plain/envoy.yaml has `idp`. Until then no token of \
                                  this provider is accepted.",
                        },
                    }
                    .error("cluster_missing"),
                );
                continue;
            };
            reachable(patient, &named.cluster, &cluster.shown(), findings);
        }
    }
}

/// Whether Envoy reaches a cluster's hosts, as far as it knows.
pub(super) fn reachable(
    patient: &Patient<'_>,
    name: &str,
    place: &str,
    findings: &mut Vec<Finding>,
) {
    let of = format!("cluster {name:?}");
    let hosts = patient.envoy.hosts(name);
    if hosts.is_empty() {
        findings.push(
            Said {
                of,
                place: place.to_owned(),
                found: "no address: its name can't be resolved, or nothing was delivered for it"
                    .to_owned(),
                expected: "at least one host",
                advice: "See whether the name resolves where Envoy runs.",
            }
            .error("cluster_without_hosts"),
        );
        return;
    }
    if hosts.iter().all(|host| host.is_out) {
        findings.push(
            Said {
                of,
                place: format!("clusters#{name}"),
                found: "no healthy host".to_owned(),
                expected: "at least one healthy host",
                advice: "See whether it runs, and what Envoy's health checks ask for.",
            }
            .error("cluster_unhealthy"),
        );
        return;
    }
    let sum = |stat: &str| -> u64 { hosts.iter().map(|host| host.stat(stat)).sum() };
    let failed = sum("cx_connect_fail");
    if failed > 0 {
        // A stream is no success before it ends.
        let good = sum("rq_success").saturating_add(sum("cx_active"));
        let said = Said {
            of,
            place: format!("clusters#{name}/cx_connect_fail"),
            found: format!(
                "{failed} connections that failed, and {good} good requests or connections that are open, since \
                 Envoy began"
            ),
            expected: "connections that succeed",
            advice: "See whether it runs, whether the address and port are right, and whether TLS is on at \
                     both ends or at neither.",
        };
        findings.push(said.at(
            match good {
                0 => Severity::Error,
                _ => Severity::Note,
            },
            "cluster_unreachable",
        ));
    }
}
