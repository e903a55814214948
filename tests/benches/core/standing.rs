//! What it costs to look whether a grant lets a request pass, and whether its caller is blocked, with as
//! many of both as a desk may list.

use core::hint::black_box;
use core::time::Duration;
use std::collections::BTreeMap;

use criterion::Criterion;
use portcullis::approval::{Scope, Standing};
use portcullis::identity::{Identity, Kind};
use serde_json::{Value, json};

const NOW: Duration = Duration::from_secs(1_800_000_000);
const DIGEST: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Grants for one rule, operation and model, half of them for groups.
fn grants() -> Vec<Value> {
    let holder = |n: u32| match n % 2 {
        0 => ("subject", format!("8f14e45f-ceea-467a-9575-{n:012}")),
        _ => ("group", format!("department-{n}")),
    };
    let grants = (0..10_000).map(|n| {
        let (kind, name) = holder(n);
        json!({
            "id": format!("apr_{n:032x}"), "issuer": "https://idp.example.com", kind: name,
            "rule": "bulk-needs-a-person", "rule_digest": DIGEST, "operation": "embedding.create",
            "model": "small-1", "left_ms": 3_600_000,
        })
    });
    grants.collect()
}

fn blocks() -> Vec<Value> {
    let blocks = (0..10_000).map(|n| {
        json!({"id": format!("blk_{n:032x}"), "issuer": "https://idp.example.com", "subject": format!("gone-{n}"), "reason": "left"})
    });
    blocks.collect()
}

fn caller(subject: &str, groups: u32) -> Identity {
    Identity {
        provider: "corp".to_owned(),
        issuer: "https://idp.example.com".to_owned(),
        subject: subject.to_owned(),
        kind: Kind::Person,
        client: None,
        token: Some("0123456789abcdef0123456789abcdef".to_owned()),
        groups: (0..groups).map(|n| format!("department-of-{n}")).collect(),
        email: None,
        expires: Duration::MAX,
        claims: BTreeMap::new(),
    }
}

pub(crate) fn standing(criterion: &mut Criterion) {
    let answer =
        json!({"revision": "r1", "lease_ms": 2000, "grants": grants(), "blocks": blocks()});
    let answer = answer.to_string();
    let take = || {
        let mut standing = Standing::default();
        let (poll, _) = standing.poll(NOW);
        standing
            .take(answer.as_bytes(), poll, NOW)
            .expect("a good answer");
        standing
    };
    let listed = take();
    let mut group = criterion.benchmark_group("standing");
    for (name, subject, groups) in [
        (
            "a grant for the caller",
            "8f14e45f-ceea-467a-9575-000000005000",
            20,
        ),
        ("no grant, 20 groups", "jane", 20),
        ("no grant, 200 groups", "jane", 200),
    ] {
        let caller = caller(subject, groups);
        let scope = Scope {
            caller: &caller,
            rule: "bulk-needs-a-person",
            digest: DIGEST,
            operation: "embedding.create",
            model: Some("small-1"),
            others: false,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| listed.grant(black_box(&scope), NOW).is_some());
        });
    }
    let caller = caller("jane", 20);
    group.bench_function("no block", |bencher| {
        bencher.iter(|| listed.block(black_box(&caller), NOW).is_some());
    });
    group.sample_size(10);
    group.bench_function("10,000 grants and 10,000 blocks are read", |bencher| {
        bencher.iter(take);
    });
    group.finish();
}
