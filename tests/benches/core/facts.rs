//! What it costs to take the facts from bodies.

use core::hint::black_box;

use criterion::{Criterion, Throughput};
use portcullis::dialect::{Body, BodyHead, Facts, Routes, See};
use portcullis::operation::{self, normalize};
use serde_json::json;

use super::PROSE;

/// Bodies of one megabyte whose facts are taken; each with its route.
fn judged() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let turn = json!({"role": "user", "content": PROSE});
    let turns = (1 << 20) / turn.to_string().len();
    let tokens: Vec<u32> = (0..150_000).map(|n| n % 100_019).collect();
    let inputs = vec![PROSE; (1 << 20) / PROSE.len()];
    let floats: Vec<f64> = (0..51_000).map(|n| f64::from(n).sin()).collect();
    let tensors = json!({"inputs": [
        {"name": "input", "datatype": "FP32", "shape": [51, 1000], "data": floats},
    ]});
    let bodies = [
        (
            "chat",
            "/v1/chat/completions",
            json!({"model": "m", "messages": vec![turn; turns]}),
        ),
        (
            "token ids",
            "/v1/completions",
            json!({"model": "m", "prompt": tokens}),
        ),
        (
            "embeddings' inputs",
            "/v1/embeddings",
            json!({"model": "m", "input": inputs}),
        ),
        ("tensors", "/v2/models/m/infer", tensors),
    ];
    let mut judged: Vec<_> = bodies
        .into_iter()
        .map(|(name, path, body)| (name, path, body.to_string().into_bytes()))
        .collect();
    judged.push((
        "a tensor of gRPC",
        "/inference.GRPCInferenceService/ModelInfer",
        infer_request(1 << 18),
    ));
    judged
}

/// A `ModelInferRequest` with this many floats.
fn infer_request(floats: u32) -> Vec<u8> {
    fn varint(mut number: u32, into: &mut Vec<u8>) {
        while number >= 128 {
            into.extend((number | 128).to_le_bytes().first());
            number >>= 7;
        }
        into.extend(number.to_le_bytes().first());
    }
    fn field(number: u32, value: &[u8], into: &mut Vec<u8>) {
        varint(number << 3 | 2, into);
        varint(u32::try_from(value.len()).expect("a short message"), into);
        into.extend(value);
    }
    let values: Vec<u8> = (0..floats).flat_map(|n| n.to_le_bytes()).collect();
    let (mut shape, mut contents, mut input, mut message) = (vec![], vec![], vec![], vec![]);
    varint(floats, &mut shape);
    field(6, &values, &mut contents);
    field(1, b"input", &mut input);
    field(2, b"FP32", &mut input);
    field(3, &shape, &mut input);
    field(5, &contents, &mut input);
    field(1, b"m", &mut message);
    field(5, &input, &mut message);
    message
}

fn take_facts<'s>(body: &Body, bytes: &[u8], see: Option<&'s mut See<'s>>) -> Facts {
    let head = BodyHead {
        media: Some("application/json".to_owned()),
        ..BodyHead::default()
    };
    let facts = match body.grpc() {
        Some(_) => body.take_message(bytes, see),
        None => body.take(&head, bytes, see),
    };
    facts.expect("a body that is what its route takes")
}

/// What it costs to take the facts from a body, without a pattern to look for and with somebody who is
/// shown each text.
pub(super) fn facts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("facts");
    for (name, path, body) in judged() {
        let path = normalize(path.as_bytes()).expect("a path that is normal");
        let asked = operation::name(&Routes::default(), "POST", &path).expect("a route");
        assert_ne!(asked.name, "unknown");
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| take_facts(&asked.body, black_box(&body), None));
        });
        group.bench_function(format!("{name}, with its texts"), |bencher| {
            bencher.iter(|| {
                let mut bytes = 0;
                let mut see = |text: &[u8]| bytes += text.len();
                take_facts(&asked.body, black_box(&body), Some(&mut see));
                black_box(bytes)
            });
        });
    }
    group.finish();
}
