//! How the filter is loaded.

use std::collections::{BTreeMap, BTreeSet};

use super::Said;
use crate::doctor::guard::Guard;
use crate::doctor::loaded::Loaded;
use crate::doctor::places::At;
use crate::doctor::{Finding, Patient};

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    for guard in patient.guards {
        failure(guard, findings);
    }
    for (guard, policy) in patient.guarded() {
        let policy = patient.wanted.unwrap_or(policy);
        stop_iteration(guard, policy, findings);
        environment(guard, policy, findings);
    }
    machines(patient, findings);
}

fn place(guard: &Guard<'_>, key: &str) -> String {
    let at = guard.plugin.get(key);
    at.as_ref().unwrap_or(&guard.plugin).shown()
}

fn failure(guard: &Guard<'_>, findings: &mut Vec<Finding>) {
    let policy = guard.plugin.text("failure_policy").unwrap_or("FAIL_CLOSED");
    // A number where a control plane wrote one.
    let open = guard.plugin.flag("fail_open") || policy == "FAIL_OPEN";
    let key = match guard.plugin.flag("fail_open") {
        true => "fail_open",
        false => "failure_policy",
    };
    if open {
        findings.push(
            Said {
                of: guard.shown(),
                place: place(guard, key),
                found: format!(
                    "{key} lets everything pass once the module has crashed or can't be loaded"
                ),
                expected: "failure_policy: FAIL_RELOAD",
                advice: "Set failure_policy: FAIL_RELOAD, and remove fail_open.",
            }
            .error("fails_open"),
        );
    } else if policy != "FAIL_RELOAD" {
        findings.push(
            Said {
                of: guard.shown(),
                place: place(guard, "failure_policy"),
                found: format!(
                    "{policy}: a worker whose module has crashed refuses everything until Envoy is configured anew"
                ),
                expected: "failure_policy: FAIL_RELOAD",
                advice: "Set failure_policy: FAIL_RELOAD: the module is loaded anew, and meanwhile requests \
                         are refused.",
            }
            .warning("stays_down"),
        );
    }
    let code = guard.vm().and_then(|vm| vm.get("code"));
    let remote = code.as_ref().and_then(|code| code.get("remote"));
    if let (Some(remote), Some(_)) = (remote, guard.filter.at.get("config_discovery")) {
        findings.push(
            Said {
                of: guard.shown(),
                place: remote.shown(),
                found: "a module to fetch, for a filter that is delivered by itself (ECDS): Envoy lets everything \
                        pass until it has it"
                    .to_owned(),
                expected: "code.local, or the filter in the listener itself",
                advice: "Put the module where the proxy finds it as a file. Istio's agent does so with what it \
                         passes on to Envoy.",
            }
            .error("fails_open"),
        );
    }
    if guard.filter.at.flag("is_optional") {
        findings.push(
            Said {
                of: guard.shown(),
                place: guard.filter.at.shown(),
                found: "is_optional: an Envoy without WebAssembly leaves the filter out".to_owned(),
                expected: "no is_optional",
                advice: "Remove is_optional.",
            }
            .error("fails_open"),
        );
    }
}

fn stop_iteration(guard: &Guard<'_>, policy: &Loaded, findings: &mut Vec<Finding>) {
    if guard.plugin.flag("allow_on_headers_stop_iteration") {
        return;
    }
    let Some(needs) = policy.needs_bodies() else {
        return;
    };
    findings.push(
        Said {
            of: guard.shown(),
            place: place(guard, "allow_on_headers_stop_iteration"),
            found: format!(
                "off, while the policy reads bodies ({needs}): such requests are refused"
            ),
            expected: "allow_on_headers_stop_iteration: true",
            advice: "Set it in the plugin's configuration. Istio's WasmPlugin and Envoy Gateway's \
                     EnvoyExtensionPolicy can't: use an EnvoyFilter or an EnvoyPatchPolicy there.",
        }
        .error("stop_iteration_off"),
    );
}

fn environment(guard: &Guard<'_>, policy: &Loaded, findings: &mut Vec<Finding>) {
    let vm = guard.vm();
    let given = vm.as_ref().and_then(|vm| vm.get("environment_variables"));
    let mut names = BTreeSet::new();
    if let Some(given) = &given {
        names.extend(
            given
                .items("host_env_keys")
                .iter()
                .filter_map(|at| at.value.as_str()),
        );
        let pairs = given.get("key_values");
        let pairs = pairs.map(|at| at.members()).unwrap_or_default();
        names.extend(pairs.iter().map(|(name, _)| *name));
    }
    let missing: Vec<&str> = policy
        .variables
        .iter()
        .map(String::as_str)
        .filter(|name| !names.contains(name))
        .collect();
    if missing.is_empty() {
        return;
    }
    let at: &At<'_> = given.as_ref().or(vm.as_ref()).unwrap_or(&guard.plugin);
    findings.push(
        Said {
            of: guard.shown(),
            place: at.shown(),
            found: format!("no {} for the VM, which the policy asks for", missing.join(", ")),
            expected: "each variable of the policy under host_env_keys, and in Envoy's environment",
            advice: "Name them under vm_config.environment_variables.host_env_keys and set them where Envoy \
                     is started.",
        }
        .error("variables_missing"),
    );
}

/// Listeners with one policy count together only where their VMs have one id.
fn machines(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let mut ids: BTreeMap<&str, BTreeMap<&str, &Guard<'_>>> = BTreeMap::new();
    for (guard, policy) in patient.guarded() {
        if policy.counts() {
            let of = ids.entry(&policy.digest).or_default();
            of.entry(guard.vm_id()).or_insert(guard);
        }
    }
    for ids in ids.values() {
        if ids.len() < 2 {
            continue;
        }
        let Some((_, guard)) = ids.iter().next_back() else {
            continue;
        };
        let vm = guard.vm();
        let names: Vec<String> = ids.keys().map(|id| format!("{id:?}")).collect();
        findings.push(
            Said {
                of: guard.shown(),
                place: vm.as_ref().unwrap_or(&guard.plugin).shown(),
                found: format!(
                    "the vm_ids {} under one policy with quotas: each counts for itself, so callers have \
                     each quota as often",
                    names.join(", ")
                ),
                expected: "one vm_id for all listeners with this policy",
                advice: "Give them one vm_id, or each a policy of its own.",
            }
            .warning("vm_ids_differ"),
        );
    }
}
