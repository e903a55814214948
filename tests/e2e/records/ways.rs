//! The configurations that carry records without a desk: in a file, and to an OpenTelemetry collector.
//! What each keeps goes into a ledger, and is the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step};
use testbed::collector::Collector;
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::wait;

use crate::support::{Desk, Guarded, ana, in_each_envoy, policy};

in_each_envoy!(
    a_file_has_every_record,
    a_collector_has_every_record,
    a_broken_exchange_of_a_dead_envoy_is_missed,
);

fn rules() -> Value {
    policy(&json!({"rules": [
        {"name": "none", "when": {"path": ["/v1/models/denied"]}, "then": "deny"},
        {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
    ]}))
}

/// How many exchanges [`exchanges`] makes.
const EXCHANGES: usize = 30;

/// Makes exchanges of some kinds; returns how many were answered so.
fn exchanges(guarded: &Guarded) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for turn in 0..EXCHANGES {
        let request = match turn % 3 {
            0 => Request::get("/v1/models"),
            1 => Request::get("/v1/models").bearer(&ana()),
            _ => Request::get("/v1/models/denied").bearer(&ana()),
        };
        *statuses.entry(guarded.send(request).status).or_default() += 1;
    }
    statuses
}

fn a_file_has_every_record(version: &str) {
    let guarded = Guarded::start_with(version, &rules(), |builder| {
        builder.shipped("envoy/file/envoy.yaml")
    });
    let statuses = exchanges(&guarded);
    guarded.mesh.sessions(EXCHANGES).unwrap();
    goes_into_a_ledger(&guarded.mesh.file("access.log"), &statuses);
}

fn a_collector_has_every_record(version: &str) {
    let collector = Collector::start().unwrap();
    let guarded = Guarded::start_with(version, &rules(), |builder| {
        builder
            .shipped("envoy/opentelemetry/envoy.yaml")
            .cluster_http2("collector", collector.port())
    });
    let statuses = exchanges(&guarded);
    wait::until("all log records", Duration::from_secs(30), || {
        collector.records().len() >= EXCHANGES
    })
    .unwrap();
    let records = collector.records();
    assert_eq!(records.len(), EXCHANGES);
    assert!(records.iter().all(|one| one.time_unix_nano > 0));
    let file = guarded.mesh.file("collected.jsonl");
    fs::write(&file, collector.file().unwrap()).unwrap();
    goes_into_a_ledger(&file, &statuses);
    let stats = guarded.mesh.stats("access_logs.open_telemetry").unwrap();
    let dropped = "access_logs.open_telemetry_access_log.logs_dropped";
    assert_eq!(stats[dropped], 0, "{stats:?}");
}

/// A desk's ledger that has nothing yet, and is not written to.
fn ledger() -> Desk {
    let mut desk = Desk::start();
    desk.process.stop();
    desk
}

fn goes_into_a_ledger(file: &PathBuf, statuses: &BTreeMap<u16, usize>) {
    let desk = ledger();
    let file = file.to_str().unwrap();
    let (status, said) = desk.place.sessions("import", &[file]);
    assert_eq!(status, 0, "{said}");
    assert!(said.starts_with("30 records stored, 0 known"), "{said}");
    let (_, exported) = desk.place.sessions("export", &[]);
    let mut kept = BTreeMap::new();
    for line in exported.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let status = record["response"]["status"].as_u64().unwrap();
        *kept.entry(u16::try_from(status).unwrap()).or_default() += 1;
    }
    assert_eq!(kept, *statuses);
    let (status, said) = desk.place.sessions("import", &[file]);
    assert!(
        status == 0 && said.starts_with("0 records stored, 30 known"),
        "{said}"
    );
    assert_eq!(desk.place.sessions("gaps", &[]), (0, String::new()));
    let (status, said) = desk.place.sessions("verify", &[]);
    assert_eq!(status, 0, "{said}");
}

fn a_broken_exchange_of_a_dead_envoy_is_missed(version: &str) {
    let collector = Collector::start().unwrap();
    for shipped in ["envoy/file/envoy.yaml", "envoy/opentelemetry/envoy.yaml"] {
        let mut guarded = Guarded::start_with(version, &rules(), |builder| {
            builder
                .shipped(shipped)
                .log_running("0.1s")
                .cluster_http2("collector", collector.port())
        });
        let gate = Gate::new();
        let steps = vec![Step::data("some words, "), Step::Wait(gate)];
        let text = Answer::new(200).header("content-type", "text/plain");
        guarded
            .model
            .answer("/v1/models/running", text.steps(steps));
        let client = Client::http1(guarded.mesh.port()).unwrap();
        let request = Request::get("/v1/models/running").bearer(&ana());
        let mut stream = client.open(request).unwrap();
        assert!(stream.next_piece().unwrap().is_some());
        let what = "a log of an exchange that goes on";
        let running = wait::value(what, Duration::from_secs(30), || match shipped {
            "envoy/file/envoy.yaml" => guarded.mesh.running().unwrap().pop(),
            _ => {
                let body = collector.records().pop()?.body?.value?;
                let text = format!("{body:?}");
                let named = text.contains("open");
                let json = &text[text.find('{')?..=text.rfind('}')?];
                let json = json.replace('\\', "");
                named.then(|| serde_json::from_str(&json).unwrap())
            }
        });
        let running = running.unwrap();
        guarded.mesh.kill().unwrap();
        let mut file = guarded.mesh.file("access.log");
        if !file.exists() {
            file = guarded.mesh.file("collected.jsonl");
            fs::write(&file, collector.file().unwrap()).unwrap();
        }
        let desk = ledger();
        let imported = desk.place.sessions("import", &[file.to_str().unwrap()]);
        assert_eq!(imported.0, 0, "{imported:?}");
        let (status, said) = desk.place.sessions("gaps", &[]);
        let (worker, number) = (&running["worker"], &running["number"]);
        let expected = format!(
            "worker {}: record {number} is missing: its exchange, {}, went on at ",
            worker.as_str().unwrap(),
            running["id"].as_str().unwrap()
        );
        assert!(status == 1 && said.starts_with(&expected), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
