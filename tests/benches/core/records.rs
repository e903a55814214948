//! What it costs to write a record at an exchange's end.

use core::hint::black_box;
use core::time::Duration;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use criterion::{BatchSize, Criterion, Throughput};
use portcullis::record::{Approval, Caller, Charged, Closing, Record, Tokens, Tried};

/// An exchange that was allowed, with `members` rules, quotas and detectors, and long groups.
pub(crate) fn record(members: usize) -> Record {
    let worker: Rc<str> = Rc::from("00000000000000aa");
    let mut record = Record::begin("0af7651916cd43dd8448eb211c80319c".to_owned(), worker);
    record.number = 12_345;
    record.request.method = "POST".to_owned();
    record.request.host = "models.mill.example".to_owned();
    record.request.path = Some("/v1/chat/completions".to_owned());
    record.request.operation = Some("inference.chat");
    record.note_model(Some("small-1"));
    record.request.items = Some(1);
    record.request.bytes = Some(1234);
    record.verdict.action = "allow";
    record.verdict.rule = Some("everybody-who-may".to_owned());
    let counts: BTreeMap<String, u64> =
        (0..members).map(|n| (format!("detector-{n}"), 3)).collect();
    record.request.matches.clone_from(&counts);
    record.response.matches = counts;
    let quota = |n| format!("predictions-a-day-{n}");
    record.verdict.quotas = (0..members).map(quota).collect();
    let charged = |n| Charged {
        quota: quota(n),
        amount: 1,
        limit: 100_000,
        remaining: 99_000,
        key: Some(
            ["subject", "corp", "jane@example.com"]
                .map(str::to_owned)
                .to_vec(),
        ),
        at: 3,
        until: Some(3_900_000),
    };
    record.verdict.charges = (0..members).map(charged).collect();
    record.note_approval(Approval {
        id: Some("apr_0af7651916cd43dd8448eb211c80319c".to_owned()),
        state: "approved",
        rule: "a-person-looks".to_owned(),
        reviewer: Some("rosa".to_owned()),
        reason: Some("seen".to_owned()),
        ..Approval::default()
    });
    record.response.status = Some(200);
    record.response.streamed = Some(true);
    record.response.tokens = Some(Tokens {
        prompt: Some(100),
        completion: Some(200),
        cached: None,
        total: Some(300),
    });
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    record.note_ids(Some("7d0b6b3c-8f0e-4a42-9f5e-4c1f2c9f3c5a"), Some(trace));
    record.close(
        &Closing {
            answered: true,
            details: Some("via_upstream"),
            envoy: Some("1.40.0"),
            node: Some("edge-1"),
            listener: Some("0.0.0.0_8080"),
            direction: Some("inbound"),
            peer: Some("10.1.2.3:41234"),
            route: Some("models"),
            cluster: Some("vllm"),
            endpoint: Some("10.3.2.1:8000"),
            ..Closing::default()
        },
        None,
    );
    record
}

/// Writes it, as the end of the exchange does.
pub(crate) fn write(record: &mut Record, groups: &[String]) -> String {
    let policy = "8d1f0c6d5b7a4e3f9c2b1a0d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f";
    let caller = Caller {
        provider: "corp",
        issuer: "https://idp.mill.example",
        subject: "ana@mill.example",
        kind: "person",
        client: Some("notebook"),
        token: Some("0af7651916cd43dd8448eb211c80319c"),
        groups: Cow::Borrowed(groups),
    };
    let tried = groups.iter().map(|rule| Tried { rule, came: "no" });
    let tried = tried.collect();
    record.to_json(
        policy,
        Some(caller),
        tried,
        Duration::from_secs(1_795_000_000),
        None,
    )
}

pub(crate) fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    for members in [1, 6, 12] {
        let groups: Vec<String> = (0..members).map(|n| format!("department-{n}")).collect();
        let bytes = write(&mut record(members), &groups).len();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("{bytes} bytes"), |bencher| {
            let make = || record(members);
            let write = |mut record| black_box(write(&mut record, &groups));
            bencher.iter_batched(make, write, BatchSize::SmallInput);
        });
    }
    group.finish();
}
