//! What it costs to look for the guard's own secrets, natively: `cargo bench --bench secrets`.
//!
//! Each body goes through its mask alone, through the mask and the guard behind it, and through the
//! guard alone, in pieces as Envoy brings them.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that can't run should stop and say so"
)]

use core::hint::black_box;
use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Plan, Style};
use portcullis::mask::{CompiledMask, Format, Framing, Masks, Pass, Scrub, Secrets, SpreadSecrets};
use serde_json::json;

const PROSE: &str = "The quick brown fox of the harbour office writes 14 letters a day, most of \
them about rope, tar and the price of salt; on 3 May it wrote to nobody at all. ";

/// As long as those of a service, of a desk and of a provider.
const SECRETS: [&str; 3] = [
    "sk-proj-4bVx7Q0mZr2tYw8uKc5nHd1jLf6pGs3aEe9iNo7v",
    "desk-7d1f9c2e8b3a4560",
    "eyJ0eXAiOiJrZXkifQ.c2VjcmV0LWtleXMtcHJvdmlkZXI",
];

/// What Envoy brings at a time.
const PIECE_BYTES: usize = 16 << 10;

fn plan() -> Plan {
    let detection = |name: &&'static str| Detection {
        detector: Detector::BuiltIn(name),
        style: Style::Label,
    };
    Plan {
        detections: BUILT_IN_DETECTORS.iter().map(detection).collect(),
        ..Plan::default()
    }
}

fn bodies() -> [(&'static str, Format, String); 4] {
    let delta = |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    let words = PROSE.split_inclusive(' ').cycle().take(8000);
    let events: String = words
        .map(|word| format!("data: {}\n\n", delta(word)))
        .collect();
    let content = format!("{PROSE}\n\"quoted\"\n").repeat(1 << 12);
    let answer = json!({"choices": [{"message": {"content": content}}]}).to_string();
    let vectors: Vec<f64> = (0..60_000).map(|n| f64::from(n).sin()).collect();
    let vectors = json!({"data": [{"embedding": vectors}]}).to_string();
    [
        ("events", Format::Events, events),
        ("text", Format::Text, PROSE.repeat(1 << 12)),
        ("JSON", Format::Json, answer),
        ("vectors", Format::Json, vectors),
    ]
}

/// What a body goes through.
struct Way<'a> {
    masks: Option<&'a Masks>,
    guard: Option<(&'a Rc<Secrets>, &'a Rc<CompiledMask>)>,
}

fn run(way: &Way<'_>, format: Format, body: &str) -> usize {
    let mut pass = way.masks.map(|masks| {
        let form = (format, Framing::default());
        (masks, Pass::new(masks, form, None))
    });
    let mut guard = way.guard.map(|(secrets, mask)| {
        // JSON that is no stream is looked at as bytes.
        let reads = format != Format::Json;
        let spread = reads.then(|| SpreadSecrets::new(mask, format, Framing::default()));
        (secrets, spread, Scrub::default())
    });
    let mut written = 0;
    let mut pieces = body.as_bytes().chunks(PIECE_BYTES).peekable();
    while let Some(piece) = pieces.next() {
        let end = pieces.peek().is_none();
        let mut bytes = piece.to_vec();
        if let Some((masks, pass)) = &mut pass {
            let mut out = Vec::with_capacity(bytes.len());
            pass.push(masks, &bytes, &mut out).expect("a good body");
            if end {
                pass.finish(masks, &mut out).expect("a good body");
            }
            bytes = out;
        }
        if let Some((secrets, spread, scrub)) = &mut guard {
            // Behind a mask, which looks for secrets in texts, only bytes are looked at.
            if let Some(spread) = spread.as_mut().filter(|_| pass.is_none()) {
                let mut out = Vec::with_capacity(bytes.len());
                spread.push(&bytes, end, &mut out).expect("a good body");
                bytes = out;
            }
            if !scrub.lets_pass(secrets, &bytes, end) {
                let mut out = Vec::with_capacity(bytes.len());
                scrub.push(secrets, &bytes, end, &mut out);
                bytes = out;
            }
        }
        written += black_box(bytes).len();
    }
    written
}

fn secrets(criterion: &mut Criterion) {
    let secrets = Rc::new(Secrets::new(SECRETS));
    let mask = Rc::new(CompiledMask::of_secrets(&secrets));
    let alone = Masks::new(&plan()).expect("the built-in detectors compile");
    let both = Masks::guarding(&plan(), Some(&secrets)).expect("the built-in detectors compile");
    let guard = Some((&secrets, &mask));
    let ways = [
        ("a mask", Some(&alone), None),
        ("a mask and secrets", Some(&both), guard),
        ("secrets", None, guard),
    ];
    for (title, format, body) in bodies() {
        let mut group = criterion.benchmark_group(title);
        group.throughput(Throughput::Bytes(body.len() as u64));
        for (name, masks, guard) in ways {
            let way = Way { masks, guard };
            group.bench_function(name, |bencher| {
                bencher.iter(|| run(&way, format, black_box(&body)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, secrets);
criterion_main!(benches);
