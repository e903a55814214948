//! The policy: whether it is right, and whether it is the one that runs.

use serde_json::Value;

use super::Said;
use crate::doctor::guard::Guard;
use crate::doctor::loaded::Loaded;
use crate::doctor::{Finding, Patient};

/// How long Envoy may have run before what the filter counts is missed, in seconds.
const MOMENT: u64 = 5;

/// The gauge of VMs that have a policy.
const VMS: &str = "wasmcustom.portcullis_policy_vms.digest=";

/// Reads a guard's policy, and says what is wrong with it.
pub(in crate::doctor) fn read(guard: &Guard<'_>, findings: &mut Vec<Finding>) -> Option<Loaded> {
    let configuration = guard.plugin.get("configuration");
    let place = configuration.as_ref().unwrap_or(&guard.plugin).shown();
    let Some(text) = guard.policy() else {
        let kind = configuration.and_then(|at| at.value.get("@type")?.as_str());
        findings.push(
            Said {
                of: guard.shown(),
                place,
                found: match kind {
                    Some(kind) => format!("no policy as text, but {kind}"),
                    None => "no policy".to_owned(),
                },
                expected: "the policy as JSON text in a google.protobuf.StringValue",
                advice: "Put the policy in as a StringValue. Envoy hands a Struct over as protobuf.",
            }
            .error("policy_missing"),
        );
        return None;
    };
    let name = format!("the policy of {}", guard.shown());
    match Loaded::read(&name, text) {
        Ok(loaded) => {
            for warning in loaded.compiled.warnings() {
                findings.push(
                    Said {
                        of: guard.shown(),
                        place: format!("policy#{}", warning.path),
                        found: warning.found.clone(),
                        expected: "",
                        advice: "portcullis check says the same of the policy's file.",
                    }
                    .warning("policy_warning"),
                );
            }
            for issuer in crate::development::problems(loaded.policy()) {
                findings.push(
                    Said {
                        of: guard.shown(),
                        place: format!("policy#{}", issuer.path),
                        found: issuer.found,
                        expected: "an identity provider, once others than you use this",
                        advice: "portcullis check --strict refuses such a policy: run it before a roll-out.",
                    }
                    .note("development_issuer"),
                );
            }
            Some(loaded)
        }
        Err(problems) => {
            for problem in problems {
                findings.push(
                    Said {
                        of: guard.shown(),
                        place: format!("policy#{}", problem.path),
                        found: problem.found,
                        expected: "",
                        advice: "The filter of this version refuses this policy. portcullis check says \
                                 what is expected.",
                    }
                    .error("policy_wrong"),
                );
            }
            None
        }
    }
}

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let live: Vec<(&str, u64)> = patient.envoy.stats_of(VMS).collect();
    // One VM is the one that Envoy tried a configuration in, which it counts until it ends.
    let runs = |digest: &str| live.iter().any(|(name, vms)| *name == digest && *vms > 1);
    if patient.envoy.age() >= MOMENT {
        for (guard, policy) in patient.guarded() {
            if !runs(&policy.digest) {
                let others = live.iter().filter(|(_, vms)| *vms > 1).count();
                findings.push(
                    Said {
                        of: guard.shown(),
                        place: "stats#wasmcustom.portcullis_policy_vms".to_owned(),
                        found: format!(
                            "no VM with this listener's policy, {}, and {others} other policies that run",
                            short(&policy.digest)
                        ),
                        expected: "a VM in each worker",
                        advice: "Look into Envoy's log for lines with \"portcullis\" or \"wasm\": the module \
                                 could not be loaded, or crashed. Where Envoy's stats leave out some \
                                 (stats_matcher), this can't be told.",
                    }
                    .error("policy_not_running"),
                );
            }
        }
    }
    let Some(wanted) = patient.wanted else { return };
    for (guard, policy) in patient.guarded() {
        if policy.digest == wanted.digest {
            continue;
        }
        let same = policy.raw == wanted.raw && !matches!(policy.raw, Value::Null);
        let said = Said {
            of: guard.shown(),
            place: guard
                .plugin
                .get("configuration")
                .as_ref()
                .unwrap_or(&guard.plugin)
                .shown(),
            found: match same {
                true => format!(
                    "the policy of {}, written in another way: {}",
                    wanted.name,
                    short(&policy.digest)
                ),
                false => format!("another policy, {}", short(&policy.digest)),
            },
            expected: "the text of the policy that was named",
            advice: match same {
                true => "Blanks and line ends count in the digest that records have.",
                false => "Roll the policy out, or name the one that should be here.",
            },
        };
        findings.push(match same {
            true => said.note("policy_written_otherwise"),
            false => said.error("policy_differs"),
        });
    }
}

/// The front of a digest.
fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
