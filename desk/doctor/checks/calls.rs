//! Servers that the policy names, called from here: the desk, and identity providers.
//!
//! Nothing is sent that could be a secret: no key, no token.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use portcullis::base::url::Url;
use portcullis::identity::Verifier;
use portcullis::identity::section::{Document, Fetch, KeySource, Provider};

use super::Said;
use crate::doctor::loaded::{Loaded, Purpose};
use crate::doctor::{Finding, Patient};
use crate::look::{Answer, Looker};

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest document that is read, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

/// Clocks that differ by more are told of, in seconds.
const SKEW: u64 = 5;

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    if let Some(ahead) = patient
        .envoy
        .ahead
        .filter(|ahead| ahead.unsigned_abs() > SKEW)
    {
        findings.push(
            Said {
                of: "clocks".to_owned(),
                place: "server_info#date".to_owned(),
                found: format!("Envoy's clock {}", apart(ahead, "this machine's")),
                expected: "clocks that agree",
                advice: "Have both keep time (NTP): tokens, quotas, grants and records have times.",
            }
            .warning("clock_skew"),
        );
    }
    if !patient.calls {
        return;
    }
    let looker = Looker::new(PATIENCE, MAX_DOCUMENT_BYTES);
    let mut seen = BTreeSet::new();
    for policy in patient.counting() {
        for named in policy.clusters() {
            let there = patient.setup.clusters.contains_key(named.cluster.as_str());
            if !there || !seen.insert((named.cluster.clone(), named.path.clone())) {
                continue;
            }
            match named.purpose {
                Purpose::Desk => desk(patient, &looker, &named.cluster, findings),
                Purpose::Keys(index) => keys(patient, &looker, policy, index, findings),
                // Asked together with what leads there.
                Purpose::KeySet(_) => {}
            }
        }
    }
}

/// The addresses of a cluster that are the same here as where Envoy runs.
fn addresses(patient: &Patient<'_>, cluster: &str) -> Vec<String> {
    let hosts = patient.envoy.hosts(cluster).into_iter();
    let same = hosts.filter(|host| patient.envoy.is_here || !host.is_loopback);
    same.filter_map(|host| host.address).collect()
}

fn desk(patient: &Patient<'_>, looker: &Looker, cluster: &str, findings: &mut Vec<Finding>) {
    let secured = patient.setup.has_tls(cluster);
    for address in addresses(patient, cluster) {
        let of = format!("cluster {cluster:?}");
        let place = format!("clusters#{cluster}");
        if secured {
            // A certificate of the filter's may be wanted, which isn't here.
            if let Err(why) = connects(&address) {
                unreachable(patient, of, place, &address, &why, findings);
            }
            continue;
        }
        match looker.get(&format!("http://{address}/healthz"), None) {
            Err(why) => unreachable(patient, of, place, &address, &why, findings),
            Ok(answer) => {
                let unwell = answer.status == 503;
                if answer.status != 200 {
                    let said = Said {
                        of: of.clone(),
                        place,
                        found: format!("{address} answers /healthz with {}", answer.status),
                        expected: "a desk that is well, which answers 200",
                        advice: "Look into the desk's log, and see where the cluster leads. A service of your \
                                 own that speaks the desk's protocol need not have /healthz.",
                    };
                    findings.push(match unwell {
                        true => said.error("desk_unwell"),
                        false => said.warning("desk_unknown"),
                    });
                }
                clock(patient, &answer, of, "the desk's", u64::MAX, findings);
            }
        }
    }
}

fn unreachable(
    patient: &Patient<'_>,
    of: String,
    place: String,
    address: &str,
    why: &str,
    findings: &mut Vec<Finding>,
) {
    let said = Said {
        of,
        place,
        found: format!("{address} can't be reached from here: {why}"),
        expected: "a server that answers",
        advice: "See whether it runs and listens there.",
    };
    findings.push(match patient.envoy.is_here {
        true => said.error("cluster_unreachable"),
        // Envoy may reach what this machine can't.
        false => said.note("cluster_unreachable"),
    });
}

fn connects(address: &str) -> Result<(), String> {
    let address: SocketAddr = address.parse().map_err(|_| "no address".to_owned())?;
    let connected = TcpStream::connect_timeout(&address, PATIENCE);
    connected.map(|_| ()).map_err(|error| error.to_string())
}

/// Compares a server's clock with Envoy's.
fn clock(
    patient: &Patient<'_>,
    answer: &Answer,
    of: String,
    whose: &str,
    leeway: u64,
    findings: &mut Vec<Finding>,
) {
    let Some(ahead) = answer.ahead.zip(patient.envoy.ahead) else {
        return;
    };
    let ahead = ahead.1.saturating_sub(ahead.0);
    let by = ahead.unsigned_abs();
    if by <= SKEW.min(leeway) {
        return;
    }
    let said = Said {
        of,
        place: "server_info#date".to_owned(),
        found: format!("Envoy's clock {}", apart(ahead, whose)),
        expected: "clocks that agree",
        advice: "Have both keep time (NTP). A provider's `leeway` in the policy is what is forgiven.",
    };
    findings.push(match by > leeway {
        true => said.error("clock_skew"),
        false => said.warning("clock_skew"),
    });
}

/// How far one clock is from another's.
fn apart(ahead: i64, whose: &str) -> String {
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    format!("{} seconds {side} {whose}", ahead.unsigned_abs())
}

fn keys(
    patient: &Patient<'_>,
    looker: &Looker,
    policy: &Loaded,
    index: usize,
    findings: &mut Vec<Finding>,
) {
    let Some(provider) = policy.policy().identity.providers.get(index) else {
        return;
    };
    let KeySource::Fetched(fetch) = &provider.keys else {
        return;
    };
    let asked = Asked {
        patient,
        looker,
        provider,
        place: format!("policy#/identity/providers/{index}/keys"),
    };
    if fetch.credential.is_some() {
        // It isn't known here, and would be nothing to send from here.
        return;
    }
    asked.ask(policy, fetch, findings);
}

/// One provider that is asked.
struct Asked<'a> {
    patient: &'a Patient<'a>,
    looker: &'a Looker,
    provider: &'a Provider,
    place: String,
}

impl Asked<'_> {
    fn ask(&self, policy: &Loaded, fetch: &Fetch, findings: &mut Vec<Finding>) {
        let keys = match &fetch.document {
            Document::KeySet(url) => self.get(url, &fetch.cluster, findings),
            Document::Metadata(url) => {
                let Some(answer) = self.get(url, &fetch.cluster, findings) else {
                    return;
                };
                let metadata = answer.json();
                let text = |name: &str| metadata.get(name).and_then(|value| value.as_str());
                if text("issuer") != Some(&self.provider.issuer) {
                    self.wrong(
                        "metadata of another issuer",
                        "the policy's `issuer`, letter by letter",
                        findings,
                    );
                    return;
                }
                let Some(url) = text("jwks_uri").and_then(Url::parse) else {
                    self.wrong(
                        "metadata without a jwks_uri",
                        "a provider's metadata",
                        findings,
                    );
                    return;
                };
                self.get(&url, &fetch.keys_cluster, findings)
            }
        };
        let Some(keys) = keys else { return };
        let Ok(verifier) = Verifier::new(&policy.policy().identity, None) else {
            return;
        };
        if let Err(why) = verifier.bring_keys(&self.provider.name, &keys.body) {
            self.wrong(
                &format!("a key set that can't be used: {why}"),
                "a key set (RFC 7517)",
                findings,
            );
        }
    }

    /// Asks for a document, through what the cluster leads to where that can be called as it is.
    fn get(&self, url: &Url, cluster: &str, findings: &mut Vec<Finding>) -> Option<Answer> {
        let of = format!("provider {:?}", self.provider.name);
        let direct = match self.patient.setup.has_tls(cluster) {
            true => None,
            false => addresses(self.patient, cluster).into_iter().next(),
        };
        let got = match &direct {
            Some(address) => {
                let whole = format!("http://{address}{}", url.path);
                self.looker.get(&whole, Some(&url.authority))
            }
            None => {
                let whole = format!("{}://{}{}", url.scheme, url.authority, url.path);
                self.looker.get(&whole, None)
            }
        };
        let failed = match got {
            Ok(answer) if answer.status == 200 => {
                let leeway = self.provider.leeway.as_secs();
                clock(
                    self.patient,
                    &answer,
                    of,
                    "the identity provider's",
                    leeway,
                    findings,
                );
                return Some(answer);
            }
            Ok(answer) => format!("status {} for {}", answer.status, url.path),
            Err(why) => format!("no answer for {}: {why}", url.path),
        };
        let said = Said {
            of,
            place: self.place.clone(),
            found: failed,
            expected: "the provider's keys, or its metadata",
            advice: "See whether the address in the policy and the cluster are right.",
        };
        findings.push(match direct.is_some() && self.patient.envoy.is_here {
            true => said.error("keys_not_loading"),
            // From here, the network may be another one.
            false => said.note("keys_not_checked"),
        });
        None
    }

    fn wrong(&self, found: &str, expected: &'static str, findings: &mut Vec<Finding>) {
        findings.push(
            Said {
                of: format!("provider {:?}", self.provider.name),
                place: self.place.clone(),
                found: found.to_owned(),
                expected,
                advice: "See whether the address in the policy is the provider's.",
            }
            .error("keys_not_loading"),
        );
    }
}
