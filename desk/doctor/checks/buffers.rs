//! Buffers that are smaller than what the policy holds, and times that are shorter.

use portcullis::base::policy::show_size;

use super::Said;
use crate::doctor::guard::Guard;
use crate::doctor::loaded::Loaded;
use crate::doctor::places::At;
use crate::doctor::{Finding, Patient};

/// Envoy's own limit, where none is set.
const USUAL_LIMIT: u64 = 1 << 20;

/// How long a route waits for an answer, where nothing is said, in milliseconds.
const USUAL_TIMEOUT: u64 = 15_000;

/// A route that waits for less ends answers that models take long for, in milliseconds.
const SHORT_TIMEOUT: u64 = 60_000;

/// How long a stream may say nothing, where nothing is said, in milliseconds.
const USUAL_IDLE: u64 = 300_000;

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    for (guard, policy) in patient.guarded() {
        let policy = patient.wanted.unwrap_or(policy);
        requests(guard, policy, findings);
        answers(patient, guard, policy, findings);
        times(guard, policy, findings);
    }
}

/// What a listener holds, and where that is said.
fn limit(listener: &At<'_>) -> (u64, String) {
    let key = "per_connection_buffer_limit_bytes";
    let at = listener.get(key);
    let bytes = listener.number(key).unwrap_or(USUAL_LIMIT);
    (bytes, at.as_ref().unwrap_or(listener).shown())
}

/// What a route holds, where it says so.
fn of_route(route: &At<'_>) -> Option<u64> {
    route
        .number("request_body_buffer_limit")
        .or_else(|| route.number("per_request_buffer_limit_bytes"))
}

fn requests(guard: &Guard<'_>, policy: &Loaded, findings: &mut Vec<Finding>) {
    let wanted = policy.policy().limits.request_body;
    let Some(needs) = policy.needs_bodies() else {
        return;
    };
    let (bytes, place) = limit(&guard.manager.of);
    let routes = guard.manager.routes.iter();
    let smallest = routes
        .map(|route| (of_route(&route.at).unwrap_or(bytes), &route.at))
        .min_by_key(|(bytes, _)| *bytes);
    let (bytes, place) = match smallest {
        Some((of_route, at)) if of_route != bytes => (of_route, at.shown()),
        _ => (bytes, place),
    };
    if bytes < wanted {
        findings.push(
            Said {
                of: guard.shown(),
                place,
                found: format!(
                    "room for {} of a request, less than the policy's limits.request_body of {} ({needs} \
                     needs bodies): Envoy refuses longer ones with a 413 of its own",
                    show_size(bytes),
                    show_size(wanted)
                ),
                expected: "per_connection_buffer_limit_bytes of at least limits.request_body",
                advice: "Raise per_connection_buffer_limit_bytes (Envoy Gateway: ClientTrafficPolicy's \
                         connection.bufferLimit), or lower limits.request_body.",
            }
            .error("buffer_too_small"),
        );
    }
    for filter in guard.manager.filters.iter().take(guard.position) {
        let Some((kind, config)) = &filter.config else {
            continue;
        };
        if kind.ends_with("filters.http.buffer.v3.Buffer")
            && let Some(most) = config.number("max_request_bytes")
            && most < wanted
        {
            findings.push(
                Said {
                    of: guard.shown(),
                    place: filter.at.shown(),
                    found: format!(
                        "a buffer of {} in front of the filter, less than limits.request_body of {}",
                        show_size(most),
                        show_size(wanted)
                    ),
                    expected: "no buffer in front of the filter, or one that is as large",
                    advice: "Remove it: the filter holds what it needs.",
                }
                .warning("buffer_too_small"),
            );
        }
    }
}

/// Answers that are held as a whole.
fn answers(patient: &Patient<'_>, guard: &Guard<'_>, policy: &Loaded, findings: &mut Vec<Finding>) {
    let wanted = policy.policy().limits.held_answer;
    // Envoy's own limit is what a policy has without saying so.
    if wanted <= USUAL_LIMIT && policy.raw.pointer("/limits/held_answer").is_none() {
        return;
    }
    let mut small = Vec::new();
    let (bytes, place) = limit(&guard.manager.of);
    if bytes < wanted {
        small.push((guard.shown(), bytes, place));
    }
    let mut names: Vec<&String> = guard
        .manager
        .routes
        .iter()
        .flat_map(|one| &one.clusters)
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        if let Some(cluster) = patient.setup.clusters.get(name.as_str()) {
            let (bytes, place) = limit(cluster);
            if bytes < wanted {
                small.push((format!("cluster {name:?}"), bytes, place));
            }
        }
    }
    for (of, bytes, place) in small {
        findings.push(
            Said {
                of,
                place,
                found: format!(
                    "room for {} of an answer, less than the policy's limits.held_answer of {}",
                    show_size(bytes),
                    show_size(wanted)
                ),
                expected: "per_connection_buffer_limit_bytes of at least limits.held_answer",
                advice: "Raise per_connection_buffer_limit_bytes, or lower limits.held_answer.",
            }
            .warning("buffer_too_small"),
        );
    }
}

fn times(guard: &Guard<'_>, policy: &Loaded, findings: &mut Vec<Finding>) {
    let manager = &guard.manager.config;
    let short = guard.manager.routes.iter().filter(|route| {
        let timeout = route
            .action
            .milliseconds("timeout")
            .unwrap_or(USUAL_TIMEOUT);
        (1..SHORT_TIMEOUT).contains(&timeout)
    });
    let short: Vec<_> = short.collect();
    if let Some(route) = short.first() {
        let at = route.action.get("timeout");
        findings.push(
            Said {
                of: guard.shown(),
                place: at.as_ref().unwrap_or(&route.action).shown(),
                found: format!(
                    "{} of {} routes that end an answer after less than a minute (15s unless a timeout is set)",
                    short.len(),
                    guard.manager.routes.len()
                ),
                expected: "timeout: 0s, so that streams live, or what the slowest model needs",
                advice: "Set `timeout: 0s` at the route; stream_idle_timeout bounds what hangs.",
            }
            .warning("timeout_short"),
        );
    }
    let Some(approvals) = &policy.policy().approvals else {
        return;
    };
    let wait = u64::try_from(approvals.wait.as_millis()).unwrap_or(u64::MAX);
    let idle = manager
        .milliseconds("stream_idle_timeout")
        .unwrap_or(USUAL_IDLE);
    if idle > 0 && idle <= wait {
        let at = manager.get("stream_idle_timeout");
        findings.push(
            Said {
                of: guard.shown(),
                place: at.as_ref().unwrap_or(manager).shown(),
                found: format!(
                    "streams that end after {} silent seconds, while approvals.wait is {}",
                    idle / 1000,
                    wait / 1000
                ),
                expected: "stream_idle_timeout above approvals.wait",
                advice: "Raise stream_idle_timeout.",
            }
            .error("timeout_short"),
        );
    }
}
