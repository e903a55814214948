//! What `/metrics` says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::access_log::{METHOD, entry, message, open, record, records, stream};
use crate::client::call;
use crate::harness::{ANA, Desk, Folder, id, question};

/// Reads Prometheus' text format (0.0.4) strictly: what a metric is stands in front of all its samples, no sample
/// stands twice, counters end in `_total` and gauges don't, and nothing else is there.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let name_is_right = |name: &str| {
        let mut letters = name.chars();
        let first = letters.next().unwrap();
        (first.is_ascii_alphabetic() || first == '_')
            && letters.all(|one| one.is_ascii_alphanumeric() || one == '_')
    };
    let mut samples = BTreeMap::new();
    let mut seen: Vec<String> = Vec::new();
    let mut help = None;
    let mut current = String::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, words) = rest.split_once(' ').unwrap();
            assert!(!words.is_empty() && help.is_none(), "{line}");
            help = Some(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(help.take().as_deref(), Some(name));
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(name_is_right(name) && !seen.contains(&name.to_owned()));
            seen.push(name.to_owned());
            current = name.to_owned();
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            assert_eq!(name, current, "{line}");
            for label in labels.strip_suffix('}').unwrap().split_terminator(',') {
                let (label, quoted) = label.split_once('=').unwrap();
                assert!(name_is_right(label), "{line}");
                let inner = quoted
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'));
                assert!(!inner.unwrap().contains(['"', '\\']), "{line}");
            }
            let before = samples.insert(series.to_owned(), value.parse().unwrap());
            assert!(before.is_none(), "{line}");
        }
    }
    assert!(help.is_none());
    samples
}

pub fn metrics(desk: &Desk) -> BTreeMap<String, f64> {
    let answer = call(desk.http, "GET", "/metrics", None, None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        answer.head
    );
    parse(&answer.body)
}

/// Asks until a metric has a value: what was collected stays for a second.
fn until(desk: &Desk, name: &str, value: f64) -> BTreeMap<String, f64> {
    let begun = std::time::Instant::now();
    loop {
        let seen = metrics(desk);
        let found = seen
            .get(name)
            .unwrap_or_else(|| panic!("{name}: {seen:#?}"));
        if (found - value).abs() < 0.5 {
            return seen;
        }
        assert!(
            begun.elapsed().as_secs() < 60,
            "{name} is {found}, and not {value}"
        );
    }
}

#[test]
fn metrics_tell_what_the_desk_does_without_a_key() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let one = |number| {
        let record = record(number, json!({})).to_string();
        message(vec![entry(record.as_bytes())])
    };
    for number in 1..=2 {
        let asked = desk.ask(&question(number));
        let how = ["approve", "deny"][usize::try_from(number - 1).unwrap()];
        desk.decide(&id(&asked), how, ANA).ok();
    }
    desk.ask(&question(3));
    stream(desk.grpc, vec![one(1), one(1), message(vec![entry(b"no")])]).unwrap();
    let (sender, _answer) = open(&runtime, desk.grpc, METHOD);
    runtime.block_on(sender.send(one(2))).unwrap();
    records(&desk, 2);
    // A checkpoint signs for the log's key, three questions, two decisions, whose the worker is, and both records.
    let seen = until(&desk, "portcullis_desk_ledger_signed_entries", 9.0);
    for (name, value) in [
        ("portcullis_desk_records_total{outcome=\"stored\"}", 2.0),
        ("portcullis_desk_records_total{outcome=\"known\"}", 1.0),
        ("portcullis_desk_records_total{outcome=\"malformed\"}", 1.0),
        (
            "portcullis_desk_records_total{outcome=\"contradicting\"}",
            0.0,
        ),
        ("portcullis_desk_streams_refused_total", 0.0),
        ("portcullis_desk_streams_open{peer=\"edge\"}", 1.0),
        ("portcullis_desk_streams_open{peer=\"inner\"}", 0.0),
        ("portcullis_desk_streams_open{peer=\"\"}", 0.0),
        ("portcullis_desk_recorder_failing", 0.0),
        ("portcullis_desk_writer_waiting_batches", 0.0),
        ("portcullis_desk_writer_waiting_kib", 0.0),
        ("portcullis_desk_approvals{state=\"pending\"}", 1.0),
        ("portcullis_desk_approvals{state=\"approved\"}", 1.0),
        ("portcullis_desk_approvals_awaited", 1.0),
        ("portcullis_desk_waits_open", 0.0),
        ("portcullis_desk_blocks", 0.0),
        (
            "portcullis_desk_approvals_claims_total{outcome=\"taken\"}",
            0.0,
        ),
        (
            "portcullis_desk_approvals_decided_total{decision=\"approved\"}",
            1.0,
        ),
        (
            "portcullis_desk_approvals_decided_total{decision=\"denied\"}",
            1.0,
        ),
        ("portcullis_desk_subjects_denied_repeatedly", 0.0),
        ("portcullis_desk_connections_open{port=\"http\"}", 1.0),
        ("portcullis_desk_connections_open{port=\"grpc\"}", 1.0),
        (
            "portcullis_desk_connections_refused_total{port=\"http\",full=\"address\"}",
            0.0,
        ),
    ] {
        let found = seen
            .get(name)
            .unwrap_or_else(|| panic!("{name}: {seen:#?}"));
        assert!((found - value).abs() < 0.5, "{name}: {found}");
    }
    let sent = seen["portcullis_desk_record_bytes_total"];
    assert!(sent >= 3.0 * 400.0, "{sent}");
    assert!(seen["portcullis_desk_ledger_bytes"] > 400.0);
    let age = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
        - seen["portcullis_desk_ledger_checkpoint_timestamp_seconds"];
    assert!((0.0..60.0).contains(&age), "{age}");
    if cfg!(target_os = "linux") {
        assert!(seen["process_resident_memory_bytes"] > 1e6);
        assert!(seen["process_open_fds"] > 5.0);
    }
    the_page_has_each(&seen);
    until(&desk, "portcullis_desk_records_kept", 2.0);
    // Whoever waits for the third question has done so for a while.
    let begun = std::time::Instant::now();
    while metrics(&desk)["portcullis_desk_approvals_oldest_seconds"] < 1.0 {
        assert!(begun.elapsed().as_secs() < 60, "it gets no older");
    }
    // Nothing of who asks or for whom.
    let text = call(desk.http, "GET", "/metrics", None, None).body;
    assert!(!text.contains("carol") && !text.contains("ana"), "{text}");
}

#[test]
fn missing_records_are_counted_until_they_come() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let one = |number| {
        let record = record(number, json!({})).to_string();
        message(vec![entry(record.as_bytes())])
    };
    stream(desk.grpc, vec![one(2), one(5), one(6)]).unwrap();
    let seen = until(&desk, "portcullis_desk_records_missing", 3.0);
    assert!((seen["portcullis_desk_records_kept"] - 3.0).abs() < 0.5);
    assert!((seen["portcullis_desk_workers_with_gaps"] - 1.0).abs() < 0.5);
    stream(desk.grpc, vec![one(1), one(3), one(4)]).unwrap();
    let seen = until(&desk, "portcullis_desk_records_missing", 0.0);
    assert!((seen["portcullis_desk_records_kept"] - 6.0).abs() < 0.5);
    assert!(seen["portcullis_desk_workers_with_gaps"] < 0.5);
}

fn the_page_has_each(seen: &BTreeMap<String, f64>) {
    let page = include_str!("../../../docs/desk.md");
    let name = |series: &str| series.split('{').next().unwrap().to_owned();
    let shown: BTreeSet<String> = page
        .split('`')
        .filter(|word| word.starts_with("portcullis_desk_"))
        .map(name)
        .collect();
    let mut told: BTreeSet<String> = seen
        .keys()
        .filter(|series| series.starts_with("portcullis_desk_"))
        .map(|series| name(series))
        .collect();
    // Only a desk with TLS has this one.
    told.insert("portcullis_desk_certificate_expiry_timestamp_seconds".to_owned());
    assert_eq!(shown, told);
}
