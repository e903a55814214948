//! What stands around the filter: who changes bodies, and on which side.

use super::Said;
use crate::doctor::guard::Guard;
use crate::doctor::{Finding, Patient, Severity};

/// A kind of filter that is on the wrong side of this one.
struct Wrong {
    /// The front of its message's name.
    kind: &'static str,
    /// Whether it is wrong between the filter and the model server, or in front of the filter.
    behind: bool,
    severity: Severity,
    why: &'static str,
    advice: &'static str,
}

/// Those that change what was judged or masked.
const WRONG: &[Wrong] = &[
    Wrong {
        kind: "filters.http.grpc_json_transcoder.",
        behind: true,
        severity: Severity::Error,
        why: "it makes gRPC of what the filter judged as JSON, so what is judged is not what the server reads",
        advice: "Put it in front of the filter.",
    },
    Wrong {
        kind: "filters.http.grpc_http1_reverse_bridge.",
        behind: true,
        severity: Severity::Error,
        why: "it takes the frames off messages that the filter judged as gRPC",
        advice: "Put it in front of the filter.",
    },
    Wrong {
        kind: "filters.http.ext_proc.",
        behind: true,
        severity: Severity::Warning,
        why: "it may change requests that the filter has judged",
        advice: "Put it in front of the filter, or be sure that its processor changes no body.",
    },
    Wrong {
        kind: "filters.http.lua.",
        behind: true,
        severity: Severity::Warning,
        why: "its script may change requests that the filter has judged",
        advice: "Put it in front of the filter, or be sure that its script changes no body.",
    },
    Wrong {
        kind: "filters.http.wasm.",
        behind: true,
        severity: Severity::Warning,
        why: "it may change requests that the filter has judged, and sees the service credential",
        advice: "Put it in front of the filter, or be sure that it changes no body.",
    },
    Wrong {
        kind: "filters.http.golang.",
        behind: true,
        severity: Severity::Warning,
        why: "it may change requests that the filter has judged",
        advice: "Put it in front of the filter, or be sure that it changes no body.",
    },
    Wrong {
        kind: "filters.http.compressor.",
        behind: true,
        severity: Severity::Warning,
        why: "it packs answers that the filter must unpack again, and sends on unpacked",
        advice: "Put it in front of the filter: what comes last on the list answers first.",
    },
    Wrong {
        kind: "filters.http.cors.",
        behind: true,
        severity: Severity::Warning,
        why: "preflight requests have no token, so the filter refuses them before CORS can answer",
        advice: "Put it in front of the filter; its headers are on refusals, too, then.",
    },
    Wrong {
        kind: "filters.http.cache.",
        behind: false,
        severity: Severity::Error,
        why: "it answers from its memory before the filter has asked who is calling",
        advice: "Put it behind the filter, or remove it.",
    },
    Wrong {
        kind: "filters.http.cache_v2.",
        behind: false,
        severity: Severity::Error,
        why: "it answers from its memory before the filter has asked who is calling",
        advice: "Put it behind the filter, or remove it.",
    },
];

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    for guard in patient.guards {
        for (position, filter) in guard.manager.filters.iter().enumerate() {
            let Some((kind, _)) = &filter.config else {
                continue;
            };
            let wrong = WRONG.iter().filter(|wrong| kind.contains(wrong.kind));
            for wrong in wrong {
                let behind = position > guard.position;
                if position == guard.position || behind != wrong.behind {
                    continue;
                }
                let side = if behind { "behind" } else { "in front of" };
                findings.push(
                    Said {
                        of: guard.shown(),
                        place: filter.at.shown(),
                        found: format!("{:?} {side} the filter: {}", filter.name, wrong.why),
                        expected: "the filter with nothing that changes bodies between it and the model server",
                        advice: wrong.advice,
                    }
                    .at(wrong.severity, "filter_order"),
                );
            }
        }
        twice(patient, guard, findings);
        undelivered(guard, findings);
    }
}

/// The filter twice in a chain judges its own work, and the second finds no token.
fn twice(patient: &Patient<'_>, guard: &Guard<'_>, findings: &mut Vec<Finding>) {
    let same = |other: &&Guard<'_>| {
        other.manager.place == guard.manager.place && other.position < guard.position
    };
    if patient.guards.iter().find(same).is_some() {
        findings.push(
            Said {
                of: guard.shown(),
                place: guard.filter.at.shown(),
                found: "the filter a second time: the first takes the token out".to_owned(),
                expected: "the filter once",
                advice: "Remove one of them.",
            }
            .error("filter_twice"),
        );
    }
}

fn undelivered(guard: &Guard<'_>, findings: &mut Vec<Finding>) {
    if guard.filter.at.get("config_discovery").is_some()
        && guard.plugin.place.starts_with(&guard.filter.at.place)
    {
        findings.push(
            Said {
                of: guard.shown(),
                place: guard.filter.at.shown(),
                found: "the default of a configuration that hasn't been delivered".to_owned(),
                expected: "what the control plane has for this filter",
                advice: "See what the control plane says, and whether Envoy reaches it.",
            }
            .warning("config_not_delivered"),
        );
    }
}
