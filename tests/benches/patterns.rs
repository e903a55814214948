//! What a policy's own detectors cost: the rules of gitleaks, word lists, canaries.
//!
//! `PORTCULLIS_VECTORS=... cargo bench --bench patterns`; without the variable, no gitleaks.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that can't run should stop and say so"
)]

use core::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis::mask::policy::{Detection, Detector, Style};
use portcullis::mask::{Matcher, Sink, Text};

const PROSE: &str = "The quick brown fox of the harbour office writes 14 letters a day, most of \
them about rope, tar and the price of salt; on 3 May it wrote to nobody at all. Its author keeps \
the key to the attic, and access to it is by token only. ";

fn masked(detector: Detector) -> Detection {
    Detection {
        detector,
        style: Style::Label,
    }
}

/// Counts what is masked.
struct Count(usize);

impl Sink for Count {
    fn keep(&mut self, _len: usize) {}
    fn replace(&mut self, len: usize, _with: &str, _detector: usize) {
        self.0 += len;
    }
}

fn mask(matcher: &Matcher, text: &[u8], size: usize) -> usize {
    let mut count = Count(0);
    let mut state = Text::default();
    for piece in text.chunks(size) {
        state.push(matcher, piece, &mut count);
    }
    state.finish(matcher, &mut count);
    count.0
}

fn rules() -> Vec<Detection> {
    let Some(folder) = std::env::var_os("PORTCULLIS_VECTORS") else {
        println!("skipped: PORTCULLIS_VECTORS does not name the folder that holds pii");
        return Vec::new();
    };
    let path = PathBuf::from(folder).join("pii/gitleaks.toml");
    let file = std::fs::read_to_string(path).expect("the rules can be read");
    let file: toml::Table = file.parse().expect("the rules are TOML");
    let rules = file.get("rules").and_then(toml::Value::as_array);
    let rules = rules.expect("a list of rules").iter();
    let with_expression = rules.filter_map(|rule| {
        let text = |key: &str| Some(rule.get(key)?.as_str()?.to_owned());
        Some(masked(Detector::Pattern {
            name: text("id")?,
            pattern: text("regex")?,
            near: Vec::new(),
            label: "SECRET".to_owned(),
        }))
    });
    with_expression.collect()
}

fn gitleaks(criterion: &mut Criterion) {
    let all = rules();
    if all.is_empty() {
        return;
    }
    let ten = all.get(..10).expect("ten rules");
    let prose = PROSE.repeat(1 << 12);
    let mut group = criterion.benchmark_group("patterns");
    group.bench_function("compile all rules", |bencher| {
        bencher.iter(|| Matcher::new(black_box(&all)).expect("the rules compile"));
    });
    group.throughput(Throughput::Bytes(prose.len() as u64));
    for (name, rules) in [("ten rules", ten), ("all rules", all.as_slice())] {
        let matcher = Matcher::new(rules).expect("the rules compile");
        for (pieces, size) in [("16 KiB", 16 << 10), ("20 bytes", 20)] {
            group.bench_function(format!("{name}, prose in pieces of {pieces}"), |bencher| {
                bencher.iter(|| mask(&matcher, black_box(prose.as_bytes()), size));
            });
        }
    }
    group.finish();
}

/// Words as names may be.
fn many(count: usize) -> Vec<String> {
    let letters = b"etaoinshrdlucmfw";
    let word = |index: usize| {
        let mixed = index.wrapping_mul(0x9e37_79b1);
        let letters = (0..8).map(|place| {
            let letter = letters.get(mixed >> (4 * place) & 15);
            char::from(*letter.expect("sixteen letters"))
        });
        letters.collect::<String>()
    };
    (0..count).map(word).collect()
}

fn lists(criterion: &mut Criterion) {
    let prose = PROSE.repeat(1 << 12);
    let words = masked(Detector::Words {
        name: "names".to_owned(),
        words: many(100_000),
        label: "NAME".to_owned(),
    });
    let canaries = masked(Detector::Canaries {
        name: "planted".to_owned(),
        strings: (0..1000)
            .map(|n| format!("canary-{n:04}-zebra-quartz"))
            .collect(),
        label: "CANARY".to_owned(),
    });
    let mut group = criterion.benchmark_group("lists");
    for (name, detection) in [("100000 words", words), ("1000 canaries", canaries)] {
        let list = [detection];
        group.bench_function(format!("compile {name}"), |bencher| {
            bencher.iter(|| Matcher::new(black_box(&list)).expect("the list compiles"));
        });
    }
    group.throughput(Throughput::Bytes(prose.len() as u64));
    for (name, detection) in [
        (
            "100000 words",
            masked(Detector::Words {
                name: "names".to_owned(),
                words: many(100_000),
                label: "NAME".to_owned(),
            }),
        ),
        (
            "a canary",
            masked(Detector::Canaries {
                name: "planted".to_owned(),
                strings: vec!["canary-0001-zebra-quartz".to_owned()],
                label: "CANARY".to_owned(),
            }),
        ),
    ] {
        let matcher = Matcher::new(&[detection]).expect("the list compiles");
        group.bench_function(format!("{name}, prose"), |bencher| {
            bencher.iter(|| mask(&matcher, black_box(prose.as_bytes()), 16 << 10));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = gitleaks, lists
}
criterion_main!(benches);
