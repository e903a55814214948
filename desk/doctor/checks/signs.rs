//! What the filter itself has counted.

use std::collections::BTreeMap;

use super::Said;
use crate::doctor::{Finding, Patient, Severity};

/// A code that something in the set-up is the reason of.
struct Sign {
    code: &'static str,
    severity: Severity,
    /// Whether it may have ended by itself.
    may_be_over: bool,
    what: &'static str,
    advice: &'static str,
}

const SIGNS: &[Sign] = &[
    Sign {
        code: "keys_unavailable",
        severity: Severity::Error,
        may_be_over: true,
        what: "an identity provider's keys could not be fetched",
        advice: "See whether the provider's cluster is right, and whether Envoy reaches it; Envoy's log says \
                 why each fetch failed.",
    },
    Sign {
        code: "stop_iteration_off",
        severity: Severity::Error,
        may_be_over: false,
        what: "Envoy handed over no bodies",
        advice: "Set allow_on_headers_stop_iteration: true.",
    },
    Sign {
        code: "not_configured",
        severity: Severity::Error,
        may_be_over: false,
        what: "the filter had no policy",
        advice: "Look into Envoy's log for lines with \"portcullis: policy\".",
    },
    Sign {
        code: "host_failed",
        severity: Severity::Error,
        may_be_over: true,
        what: "Envoy refused a call",
        advice: "Look into Envoy's log for lines with \"portcullis\".",
    },
    Sign {
        code: "record_not_kept",
        severity: Severity::Error,
        may_be_over: true,
        what: "the desk didn't keep a record in time",
        advice: "See whether the desk runs, and how long its disk takes.",
    },
    Sign {
        code: "approval_unavailable",
        severity: Severity::Error,
        may_be_over: true,
        what: "the desk gave no answer",
        advice: "See whether the desk runs, and whether circuit_breakers of its cluster let enough wait.",
    },
    Sign {
        code: "approval_key_refused",
        severity: Severity::Error,
        may_be_over: false,
        what: "the desk doesn't know the filter's key",
        advice: "Give approvals.credential the key of a filter in desk.json.",
    },
    Sign {
        code: "approval_not_understood",
        severity: Severity::Error,
        may_be_over: false,
        what: "what answers in the desk's place is no desk",
        advice: "See where the desk's cluster leads.",
    },
    Sign {
        code: "approval_service_failed",
        severity: Severity::Warning,
        may_be_over: true,
        what: "the desk failed",
        advice: "Look into the desk's log.",
    },
    Sign {
        code: "blocks_unknown",
        severity: Severity::Error,
        may_be_over: true,
        what: "the desk could not be asked who is blocked",
        advice: "See whether the desk runs.",
    },
    Sign {
        code: "buffers_full",
        severity: Severity::Warning,
        may_be_over: true,
        what: "limits.buffers was taken",
        advice: "Raise limits.buffers, or have more workers or Envoys.",
    },
    Sign {
        code: "quota_unavailable",
        severity: Severity::Warning,
        may_be_over: false,
        what: "a quota found no room to count in",
        advice: "Raise store.size.",
    },
    Sign {
        code: "route_not_certain",
        severity: Severity::Warning,
        may_be_over: false,
        what: "a header could have chosen the cluster whose credential is put in",
        advice: "Let no route look at the token's header or at headers that the filter sets.",
    },
    Sign {
        code: "token_not_yet_valid",
        severity: Severity::Warning,
        may_be_over: false,
        what: "a token's time hadn't come",
        advice: "Compare the clocks of Envoy and of the identity provider.",
    },
];

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for metric in ["decisions", "answers_refused", "approval_failures"] {
        let prefix = format!("wasmcustom.portcullis_{metric}.");
        for (name, count) in &patient.envoy.stats {
            let labels = name.strip_prefix(&prefix);
            let code = labels
                .and_then(|labels| labels.split('.').find_map(|one| one.strip_prefix("code=")));
            if let Some(code) = code {
                let sum = codes.entry(code).or_default();
                *sum = (*sum).max(*count);
            }
        }
    }
    // Where something has passed, what failed may be over.
    let passed = patient
        .envoy
        .stats_of("wasmcustom.portcullis_decisions.action=allow")
        .any(|(_, count)| count > 0);
    for sign in SIGNS {
        let count = codes.get(sign.code).copied().unwrap_or_default();
        if count > 0 {
            findings.push(
                Said {
                    of: "the filter".to_owned(),
                    place: format!("stats#wasmcustom.portcullis_*.code={}", sign.code),
                    found: format!("{count} times since Envoy began: {}", sign.what),
                    expected: "none",
                    advice: sign.advice,
                }
                .at(
                    match passed && sign.may_be_over {
                        true => Severity::Warning,
                        false => sign.severity,
                    },
                    sign.code,
                ),
            );
        }
    }
    let unheard = patient.envoy.stat("wasmcustom.portcullis_standing_failed");
    if unheard.is_some_and(|count| count > 0) {
        findings.push(
            Said {
                of: "the filter".to_owned(),
                place: "stats#wasmcustom.portcullis_standing_failed".to_owned(),
                found: format!(
                    "{} questions about what stands at the desk that it didn't answer",
                    unheard.unwrap_or_default()
                ),
                expected: "none",
                advice: "See whether the desk runs: meanwhile new blocks have no effect, and grants are asked \
                         about.",
            }
            .warning("desk_unheard"),
        );
    }
}
