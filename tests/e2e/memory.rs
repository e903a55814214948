//! What a request may make of a virtual machine's memory: it is bounded by the body's size, not by
//! what the body looks like, nor by how many requests wait.

use std::time::Duration;

use serde_json::json;
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::{grpc, wait};

use crate::support::{Desk, Guarded, ana, policy};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(
    a_body_of_any_shape_takes_a_bounded_multiple_of_its_size,
    requests_that_wait_hold_no_bodies,
);

/// The default limit of a request's body, less room for what stands around a filling.
const BODY: usize = (8 << 20) - 4096;

/// What one body may add to a virtual machine's memory.
const GROWTH: u64 = 8 * (8 << 20);

/// What requests that wait add to that, each.
const WAITING: u64 = 128 << 10;

/// A policy that looks at everything in a body, and changes it.
fn looking() -> serde_json::Value {
    policy(&json!({
        "patterns": {"probe": {"any_of": ["(?i)print (all )?environment variables"]}},
        "masks": {
            "names": {"detect": ["email", "credit_card", "secret.*"], "style": "pseudonym"},
            "labels": {"detect": ["email", "ip"]},
        },
        "rules": [
            {"name": "probe", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask_request": ["names"], "restore": true, "mask": ["labels"]},
        ],
    }))
}

/// As many of `item` as fit into a body between `front` and `back`, with commas between them.
fn filled(front: &str, item: &str, back: &str) -> Vec<u8> {
    let count = (BODY - front.len() - back.len()) / (item.len() + 1);
    let mut items = format!("{item},").repeat(count);
    items.pop();
    format!("{front}{items}{back}").into_bytes()
}

fn shapes() -> Vec<(&'static str, Vec<u8>)> {
    let nested = format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120));
    let deep = format!("{}\"ab\",\"cd\"{}", "[".repeat(100), "]".repeat(100));
    let members: Vec<String> = (0..200_000).map(|n| format!("\"{n:032}\":0")).collect();
    vec![
        (
            "objects in objects",
            filled("{\"model\":\"small-1\",\"a\":[", &nested, "]}"),
        ),
        ("arrays in arrays", filled("{\"a\":[", &deep, "]}")),
        ("parts", filled("{\"messages\":[", "{\"text\":\"a\"}", "]}")),
        ("short texts", filled("{\"messages\":[", "\"a\"", "]}")),
        ("empty objects", filled("{\"messages\":[", "{}", "]}")),
        ("numbers", filled("{\"messages\":[", "1", "]}")),
        (
            "long addresses",
            filled("{\"messages\":[", "\"alice.smith@example.com\"", "]}"),
        ),
        ("addresses", filled("{\"messages\":[", "\"a@b.co\"", "]}")),
        ("escapes", filled("{\"messages\":\"", "\\u0041", "\"}")),
        ("one text", filled("{\"messages\":\"", "a b c", "\"}")),
        ("a long name", filled("{\"", "name", "\":1}")),
        ("members", format!("{{{}}}", members.join(",")).into_bytes()),
    ]
}

/// The largest virtual machine's memory.
fn memory(guarded: &Guarded) -> u64 {
    let stats = guarded.mesh.stats("portcullis_memory_bytes").unwrap();
    *stats.values().max().unwrap()
}

fn a_body_of_any_shape_takes_a_bounded_multiple_of_its_size(version: &str) {
    let guarded = Guarded::start_with(version, &looking(), |builder| {
        builder.alone().concurrency(1)
    });
    let vms = Vms::of(&guarded.mesh);
    let before = memory(&guarded);
    let mut largest = before;
    for (name, body) in shapes() {
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .header("content-type", "application/json")
            .header("host", format!("{}.test", name.replace(' ', "-")))
            .body(body);
        let answer = guarded.send(request);
        // Envoy itself refuses what no longer fits into its buffers once it is masked.
        let passes = [200, 413].contains(&answer.status);
        assert!(passes, "{name}: {} {}", answer.status, answer.text());
        // The record is written, and with it the gauge.
        guarded.record(&format!("{}.test", name.replace(' ', "-")));
        let now = memory(&guarded);
        eprintln!(
            "{name}: {} MiB more, {} in all",
            (now - largest) >> 20,
            now >> 20
        );
        largest = now;
        assert!(
            now <= before + GROWTH,
            "{name}: from {before} to {now} bytes"
        );
    }
    // A tensor of empty texts takes two bytes for each, a raw one four.
    for (name, field, element) in [("contents", 5u8, &[0x42, 0][..]), ("raw", 7, &[0; 4])] {
        let elements = element.repeat(BODY / element.len());
        let mut message = b"\x0a\x04iris".to_vec();
        match field {
            5 => {
                let contents = counted(5, &elements);
                message.extend(counted(5, &contents));
            }
            _ => message.extend(counted(field, &elements)),
        }
        let client = Client::http2(guarded.mesh.port()).unwrap();
        let request = Request::post("/inference.GRPCInferenceService/ModelInfer")
            .bearer(&ana())
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(grpc::enveloped(&message));
        let answer = client.send(request).unwrap();
        assert_eq!(answer.status, 200, "{name}");
        let now = memory(&guarded);
        assert!(
            now <= before + GROWTH,
            "{name}: from {before} to {now} bytes"
        );
    }
    vms.all_live(&guarded.mesh);
}

/// A field of a message with bytes of any length.
fn counted(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend(bytes);
    out
}

fn requests_that_wait_hold_no_bodies(version: &str) {
    const COUNT: usize = 16;
    let desk = Desk::start();
    let gated = policy(&json!({
        "approvals": {"cluster": "desk", "credential": "Bearer ${DESK_KEY}", "wait": "5m", "timeout": "60s"},
        "patterns": {"probe": {"any_of": ["never in a body"]}},
        "rules": [
            {"name": "bulk", "when": {"items": {"over": 256}}, "then": {"approve": {"reviewers": ["ml-leads"]}}},
            {"name": "probe", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    }));
    let guarded = Guarded::start_with(version, &gated, |builder| {
        builder.alone().concurrency(1).cluster("desk", desk.port)
    });
    // An embedding for each of two million texts is more than this test is about.
    let answer = Answer::new(200).header("content-type", "application/json");
    guarded.model.answer("/v1/embeddings", answer.body("{}"));
    let vms = Vms::of(&guarded.mesh);
    let before = memory(&guarded);
    let waiting: Vec<_> = (0..COUNT)
        .map(|n| {
            let front = format!("{{\"model\":\"small-{n}\",\"input\":[");
            let request = Request::post("/v1/embeddings")
                .bearer(&ana())
                .header("content-type", "application/json")
                .body(filled(&front, "\"a\"", "]}"));
            let client = Client::http1(guarded.mesh.port()).unwrap();
            let pending = client.start(request).unwrap();
            (client, pending)
        })
        .collect();
    let pending = || {
        let list = desk.get("/v1/approvals?state=pending");
        list["approvals"].as_array().unwrap().clone()
    };
    wait::until("all to wait", Duration::from_secs(240), || {
        pending().len() == COUNT
    })
    .unwrap();
    // A record is written, and with it the gauge.
    let other = Request::get("/v1/models")
        .bearer(&ana())
        .header("host", "other.test");
    assert_eq!(guarded.send(other).status, 200);
    guarded.record("other.test");
    let now = memory(&guarded);
    eprintln!("{COUNT} wait: {} MiB more", (now - before) >> 20);
    assert!(
        now <= before + GROWTH + WAITING * COUNT as u64,
        "from {before} to {now} bytes"
    );
    for approval in pending() {
        desk.decide(&approval, "approve", "");
    }
    for (_client, pending) in waiting {
        assert_eq!(pending.response().unwrap().read().status, 200);
    }
    vms.all_live(&guarded.mesh);
}
