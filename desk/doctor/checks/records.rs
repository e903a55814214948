//! Access loggers: whether records are kept.

use super::Said;
use crate::doctor::places::At;
use crate::doctor::setup::Manager;
use crate::doctor::{Finding, Patient};

/// The filter state that has the record.
const STATE: &str = "wasm.portcullis.session";

/// The counters of Envoy's gRPC loggers.
const GRPC: &str = "access_logs.grpc_access_log.";

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let mut managers: Vec<&Manager<'_>> = patient.guards.iter().map(|one| one.manager).collect();
    managers.dedup_by(|one, other| one.place == other.place);
    let mut streams = false;
    for manager in managers {
        streams |= of_manager(patient, manager, findings);
    }
    if streams {
        delivered(patient, findings);
    }
}

/// Looks at the loggers of a manager; whether one of them streams records.
fn of_manager(patient: &Patient<'_>, manager: &Manager<'_>, findings: &mut Vec<Finding>) -> bool {
    let of = format!("listener {:?}", manager.listener);
    let loggers = manager.config.items("access_log");
    let keeping: Vec<&At<'_>> = loggers.iter().filter(|logger| keeps(logger)).collect();
    if keeping.is_empty() {
        let at = manager.config.get("access_log");
        findings.push(
            Said {
                of,
                place: at.as_ref().unwrap_or(&manager.config).shown(),
                found: format!("{} access loggers, none with the filter state {STATE}", loggers.len()),
                expected: "a logger that writes the record",
                advice: "Write %FILTER_STATE(wasm.portcullis.session:PLAIN)% into a file's format, or list \
                         wasm.portcullis.session under filter_state_objects_to_log of a gRPC logger.",
            }
            .error("records_not_kept"),
        );
        return false;
    }
    if keeping.iter().all(|logger| logger.get("filter").is_some()) {
        findings.push(
            Said {
                of: of.clone(),
                place: keeping.first().and_then(|at| at.get("filter")).map(|at| at.shown()).unwrap_or_default(),
                found: "a filter at each logger that has records: what it leaves out is recorded nowhere".to_owned(),
                expected: "a logger without a filter",
                advice: "Remove `filter` from the logger that has records.",
            }
            .warning("records_filtered"),
        );
    }
    let mut streams = false;
    for logger in &keeping {
        if let Some((_, config)) = logger.typed()
            && let Some(service) = config.at(&["common_config", "grpc_service"])
        {
            streams = true;
            stream(patient, &of, &service, findings);
        }
    }
    let interval = manager
        .config
        .at(&["access_log_options", "access_log_flush_interval"]);
    let other = manager.config.get("access_log_flush_interval");
    if interval.or(other).is_none() {
        findings.push(
            Said {
                of,
                place: manager.config.shown(),
                found: "no access_log_flush_interval: an exchange that ends with its Envoy is never missed".to_owned(),
                expected: "access_log_options: { access_log_flush_interval: 10s }",
                advice: "Set it, so that exchanges that go on are logged with their records' numbers.",
            }
            .note("records_unannounced"),
        );
    }
    streams
}

/// Whether a logger writes the record.
fn keeps(logger: &At<'_>) -> bool {
    let Some((kind, config)) = logger.typed() else {
        return false;
    };
    if kind.ends_with("GrpcAccessLogConfig") {
        let states = config.at(&["common_config", "filter_state_objects_to_log"]);
        let states = states.map(|at| at.list()).unwrap_or_default();
        return states.iter().any(|at| at.value.as_str() == Some(STATE));
    }
    // Whatever the logger, a format names the state in a command.
    config
        .value
        .to_string()
        .contains(&format!("FILTER_STATE({STATE}"))
}

/// Where a logger streams to.
fn stream(patient: &Patient<'_>, of: &str, service: &At<'_>, findings: &mut Vec<Finding>) {
    if let Some(grpc) = service.get("envoy_grpc")
        && let Some(name) = grpc.text("cluster_name")
    {
        let cluster = patient.setup.clusters.get(name);
        if let Some(at) = cluster {
            super::clusters::reachable(patient, name, &at.shown(), findings);
        }
        if cluster.is_none() {
            findings.push(
                Said {
                    of: of.to_owned(),
                    place: grpc.shown(),
                    found: format!("records for the cluster {name:?}, which Envoy doesn't have"),
                    expected: "the name of one of Envoy's clusters",
                    advice: "Add the cluster: envoy/plain/envoy.yaml has `desk_log`.",
                }
                .error("records_not_delivered"),
            );
        } else if !patient.setup.has_http2(name) {
            findings.push(
                Said {
                    of: format!("cluster {name:?}"),
                    place: cluster.map(|at| at.shown()).unwrap_or_default(),
                    found: "records for a cluster that speaks HTTP/1.1, over which gRPC can't go".to_owned(),
                    expected: "explicit_http_config: { http2_protocol_options: {} }",
                    advice: "Set typed_extension_protocol_options, as `desk_log` in envoy/plain/envoy.yaml has.",
                }
                .error("records_not_delivered"),
            );
        }
    }
    for one in service.items("initial_metadata") {
        // The value may be a key; only that it is none is said.
        if one.text("value").is_some_and(|value| value.contains("${")) {
            findings.push(
                Said {
                    of: of.to_owned(),
                    place: one.shown(),
                    found:
                        "the name of a variable in place of a key: Envoy takes nothing from its \
                            environment here"
                            .to_owned(),
                    expected: "the key itself, put in by whoever writes the file",
                    advice: "Put the key in with envsubst or where the configuration is made.",
                }
                .warning("records_without_key"),
            );
        }
    }
}

/// What became of records that were streamed.
fn delivered(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let stat = |name: &str| patient.envoy.stat(&format!("{GRPC}{name}"));
    let (written, dropped) = (stat("logs_written"), stat("logs_dropped"));
    if dropped.is_some_and(|dropped| dropped > 0) {
        findings.push(
            Said {
                of: "access log".to_owned(),
                place: format!("stats#{GRPC}logs_dropped"),
                found: format!(
                    "{} entries that Envoy dropped, and {} that it sent, since it began",
                    dropped.unwrap_or_default(),
                    written.unwrap_or_default()
                ),
                expected: "no dropped entries",
                advice: "See whether the desk runs and takes them, and whether initial_stream_window_size of \
                         its cluster has room for a burst. portcullis sessions gaps says which are missing, and \
                         sessions import fills gaps from a file.",
            }
            .error("records_dropped"),
        );
    }
    let failed = stat("grpc_entries_flush_failed").unwrap_or_default();
    if failed > 0 {
        findings.push(
            Said {
                of: "access log".to_owned(),
                place: format!("stats#{GRPC}grpc_entries_flush_failed"),
                found: format!("{failed} entries that could not be sent"),
                expected: "none",
                advice: "See whether the desk runs, and whether it knows the key in initial_metadata.",
            }
            .warning("records_dropped"),
        );
    }
    let decided: u64 = patient
        .envoy
        .stats_of("wasmcustom.portcullis_decisions.")
        .map(|(_, count)| count)
        .sum();
    if written == Some(0) && dropped == Some(0) && decided > 0 {
        findings.push(
            Said {
                of: "access log".to_owned(),
                place: format!("stats#{GRPC}logs_written"),
                found: format!("no entry that was sent, and {decided} decided requests"),
                expected: "an entry for each request",
                advice: "See whether the logger has a filter, and whether its requests are over.",
            }
            .warning("records_not_delivered"),
        );
    }
}
