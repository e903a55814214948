//! The configurations that carry records without a desk: in a file, and to an OpenTelemetry collector.
//! What each keeps goes into a ledger, and is the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step};
use testbed::collector::Collector;
use testbed::http::{Client, Request, Stream};
use testbed::model::Answer;
use testbed::wait;

use crate::support::{Desk, Guarded, ana, policy};
use crate::versions::in_each_envoy;

in_each_envoy!(a_file_has_every_record, a_collector_has_every_record);

const PATIENCE: Duration = Duration::from_secs(30);

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
    let mut guarded = Guarded::start_with(version, &rules(), |builder| {
        builder.shipped("envoy/file/envoy.yaml").log_running("0.1s")
    });
    let statuses = exchanges(&guarded);
    guarded.mesh.sessions(EXCHANGES).unwrap();
    let running = Running::start(&guarded);
    let open = wait::value("a line of what goes on", PATIENCE, || {
        guarded.mesh.running().unwrap().pop()
    });
    guarded.mesh.kill().unwrap();
    drop(running);
    goes_into_a_ledger(&guarded.mesh.file("access.log"), &statuses, &open.unwrap());
}

fn a_collector_has_every_record(version: &str) {
    let collector = Collector::start().unwrap();
    let mut guarded = Guarded::start_with(version, &rules(), |builder| {
        builder
            .shipped("envoy/opentelemetry/envoy.yaml")
            .log_running("0.1s")
            .cluster_http2("collector", collector.port())
    });
    let statuses = exchanges(&guarded);
    wait::until("all log records", PATIENCE, || {
        collector.bodies().len() >= EXCHANGES
    })
    .unwrap();
    let stats = guarded.mesh.stats("access_logs.open_telemetry").unwrap();
    let dropped = "access_logs.open_telemetry_access_log.logs_dropped";
    assert_eq!(stats[dropped], 0, "{stats:?}");
    let running = Running::start(&guarded);
    let open = wait::value("a log record of what goes on", PATIENCE, || {
        let bodies = collector.bodies();
        let mut read = bodies.iter().map(|one| serde_json::from_str(one).unwrap());
        read.find(|one: &Value| one["open"] == true)
    });
    guarded.mesh.kill().unwrap();
    drop(running);
    let file = guarded.mesh.file("collected.jsonl");
    fs::write(&file, collector.file().unwrap()).unwrap();
    goes_into_a_ledger(&file, &statuses, &open.unwrap());
}

/// An exchange that goes on until this is dropped.
struct Running {
    _client: Client,
    _stream: Stream,
}

impl Running {
    fn start(guarded: &Guarded) -> Self {
        let steps = vec![Step::data("some words, "), Step::Wait(Gate::new())];
        let text = Answer::new(200).header("content-type", "text/plain");
        let path = "/v1/models/running";
        guarded.model.answer(path, text.steps(steps));
        let client = Client::http1(guarded.mesh.port()).unwrap();
        let mut stream = client.open(Request::get(path).bearer(&ana())).unwrap();
        assert!(stream.next_piece().unwrap().is_some());
        Self {
            _client: client,
            _stream: stream,
        }
    }
}

/// A file has the records of [`exchanges`], and that another exchange went on, whose record will
/// never come.
fn goes_into_a_ledger(file: &Path, statuses: &BTreeMap<u16, usize>, open: &Value) {
    // There is a ledger once there was a desk.
    let mut desk = Desk::start();
    desk.process.stop();
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
    let (status, said) = desk.place.sessions("gaps", &[]);
    let expected = format!(
        "worker {}: record {} is missing: its exchange, {}, went on at ",
        open["worker"].as_str().unwrap(),
        open["number"],
        open["id"].as_str().unwrap()
    );
    assert!(status == 1 && said.starts_with(&expected), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let (status, said) = desk.place.sessions("verify", &[]);
    assert_eq!(status, 0, "{said}");
}
