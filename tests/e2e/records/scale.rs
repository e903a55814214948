//! Many exchanges of every kind at full rate: each has one record, which says what its client saw,
//! and Envoy's own counters agree.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::wait;

use super::traffic::{Kind, Seen, answers, of_all_kinds, rules};
use crate::support::{Desk, Guarded, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(each_of_many_exchanges_has_its_one_record);

/// A sample; with `PORTCULLIS_EXHAUSTIVE` in the environment, all.
const SAMPLE: usize = 2000;
const ALL: usize = 10_000;

/// How many more wait for their records.
const COMMITTED: usize = 400;

const WORKERS: usize = 4;
/// So many that each makes exchanges of every kind.
const CLIENTS: usize = 7;

fn each_of_many_exchanges_has_its_one_record(version: &str) {
    let count = match env::var_os("PORTCULLIS_EXHAUSTIVE") {
        Some(_) => ALL,
        None => SAMPLE,
    };
    let desk = Desk::start();
    let guarded = Guarded::start_with(version, &policy(&rules("stream")), |builder| {
        builder
            .concurrency(u32::try_from(WORKERS).unwrap())
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
            .listener("committed", policy(&rules("committed")))
    });
    let gate = answers(&guarded.model);
    let start = Instant::now();
    let mut seen = of_all_kinds(guarded.mesh.port(), CLIENTS, &(0..count));
    let took = start.elapsed();
    eprintln!(
        "{count} exchanges in {took:?}, {:.0} a second",
        f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64()
    );
    let records = guarded.mesh.sessions(count).unwrap();
    assert_eq!(records.len(), count);
    let streamed: BTreeSet<String> = records.iter().map(|record| text(record, "id")).collect();
    numbers_have_no_holes(&records);

    let committed = guarded.mesh.port_of("committed").unwrap();
    let waited = of_all_kinds(committed, CLIENTS, &(count..count + COMMITTED));
    // At once: an answer that is whole has its record there.
    let kept = exported(&desk);
    for one in waited
        .iter()
        .filter(|one| one.complete && one.status == Some(200) && one.kind != Kind::Broken)
    {
        let record = kept.get(&one.trace).map(|text| parsed(text));
        says_what_was_seen(
            one,
            &record.unwrap_or_else(|| panic!("no record of {one:?}")),
        );
    }
    gate.open(count + COMMITTED);
    seen.extend(waited);

    let count = count + COMMITTED;
    let records = guarded.mesh.sessions(count).unwrap();
    assert_eq!(records.len(), count);
    let by_trace: BTreeMap<&str, &Value> = records
        .iter()
        .map(|record| (record["mesh"]["trace_id"].as_str().unwrap(), record))
        .collect();
    assert_eq!(by_trace.len(), count, "one record an exchange");
    for one in &seen {
        says_what_was_seen(one, by_trace[one.trace.as_str()]);
    }
    envoy_counts_the_same(&guarded, &seen);
    the_desk_has_the_same(&guarded, &streamed, &desk, count);
}

fn text(record: &Value, name: &str) -> String {
    record[name].as_str().unwrap().to_owned()
}

fn parsed(record: &str) -> Value {
    serde_json::from_str(record).unwrap()
}

/// The records of the ledger as they came, by their traces.
fn exported(desk: &Desk) -> BTreeMap<String, String> {
    let (status, exported) = desk.place.sessions("export", &[]);
    assert_eq!(status, 0, "{exported}");
    let records = exported.lines();
    records
        .map(|line| (text(&parsed(line)["mesh"], "trace_id"), line.to_owned()))
        .collect()
}

fn says_what_was_seen(seen: &Seen, record: &Value) {
    let what = format!("{seen:?}: {record}");
    let (how, status, action) = match seen.kind {
        Kind::Chat | Kind::Events | Kind::List | Kind::Call => ("complete", 200, "allow"),
        Kind::Failed => ("complete", 500, "allow"),
        Kind::Denied => ("refused", 403, "deny"),
        Kind::NoToken => ("refused", 401, "deny"),
        Kind::Broken => ("upstream_reset", 200, "allow"),
        Kind::Left => ("client_left", 200, "allow"),
        Kind::LeftEarly => ("client_left", 0, "allow"),
    };
    assert_eq!(record["ended"]["how"], how, "{what}");
    assert_eq!(record["verdict"]["action"], action, "{what}");
    if status > 0 {
        assert_eq!(record["response"]["status"], status, "{what}");
        assert!(
            seen.status.is_none() || seen.status == Some(status),
            "{what}"
        );
    }
    let whole = !matches!(seen.kind, Kind::Left | Kind::LeftEarly);
    // Older Envoys let a client of HTTP/2 take a broken answer for a whole one.
    assert!(
        seen.kind == Kind::Broken || seen.complete == whole,
        "{what}"
    );
    // What the filter doesn't look at has no digests.
    if matches!(seen.kind, Kind::Chat | Kind::Events | Kind::Call) {
        assert_eq!(record["response"]["digest"], seen.digest, "{what}");
        assert_eq!(record["response"]["bytes_sent"], seen.bytes, "{what}");
        assert!(
            record["response"]["matches"]["email"].as_u64() >= Some(1),
            "{what}"
        );
    }
    let digest = &record["request"]["digest"];
    assert!(digest.is_null() || *digest == seen.asked, "{what}");
    let streamed = &record["response"]["streamed"];
    assert!(
        *streamed == (seen.kind == Kind::Events) || streamed.is_null(),
        "{what}"
    );
}

fn numbers_have_no_holes(records: &[Value]) {
    let mut workers: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for record in records {
        let numbers = workers
            .entry(record["worker"].as_str().unwrap())
            .or_default();
        let number = record["number"].as_u64().unwrap();
        assert!(numbers.insert(number), "another record has it: {record}");
    }
    assert_eq!(workers.len(), WORKERS, "all of them had some");
    for (worker, numbers) in workers {
        let all: BTreeSet<u64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, all, "the numbers of worker {worker}");
    }
}

fn envoy_counts_the_same(guarded: &Guarded, seen: &[Seen]) {
    let of = |kinds: &[Kind]| seen.iter().filter(|one| kinds.contains(&one.kind)).count();
    let stats = guarded.mesh.stats("").unwrap();
    let stat = |name: &str| usize::try_from(stats[name]).unwrap();
    let unanswered = of(&[Kind::LeftEarly]);
    for (name, expected) in [
        ("http.inference.downstream_rq_total", seen.len()),
        ("http.inference.downstream_rq_active", 0),
        (
            "http.inference.downstream_rq_completed",
            seen.len() - unanswered,
        ),
        (
            "http.inference.downstream_rq_4xx",
            of(&[Kind::Denied, Kind::NoToken]),
        ),
        ("http.inference.downstream_rq_5xx", of(&[Kind::Failed])),
        ("http.inference.downstream_rq_tx_reset", of(&[Kind::Broken])),
        ("access_logs.grpc_access_log.logs_written", seen.len()),
        ("access_logs.grpc_access_log.logs_dropped", 0),
    ] {
        assert_eq!(stat(name), expected, "{name}");
    }
}

/// What was streamed is the same, and what an answer waited for is the same exchange.
fn the_desk_has_the_same(
    guarded: &Guarded,
    streamed: &BTreeSet<String>,
    desk: &Desk,
    count: usize,
) {
    let counts = || desk.get("/healthz")["records"].clone();
    let what = "the desk to have every record";
    let stored = || counts()["stored"].as_u64().unwrap();
    wait::until(what, Duration::from_secs(60), || stored() >= count as u64)
        .unwrap_or_else(|why| panic!("{why}: {} of {count}", counts()));
    for name in ["contradicting", "malformed", "refused"] {
        assert_eq!(counts()[name], json!(0), "{name}: {}", counts());
    }
    let kept = exported(desk);
    assert_eq!(kept.len(), count);
    for line in guarded.mesh.access_log(count).unwrap() {
        let line = text(&line, "session");
        let logged = parsed(&line);
        let kept = &kept[&text(&logged["mesh"], "trace_id")];
        if streamed.contains(&text(&logged, "id")) {
            assert_eq!(*kept, line, "to the byte");
        }
        let kept = parsed(kept);
        for name in ["id", "worker", "number"] {
            assert_eq!(kept[name], logged[name], "{name} of {logged}");
        }
    }
    assert_eq!(desk.place.sessions("gaps", &[]), (0, String::new()));
    let (status, said) = desk.place.sessions("verify", &[]);
    assert_eq!(status, 0, "{said}");
}
