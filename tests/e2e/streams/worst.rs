//! Bodies that were thought up to be slow or large: no virtual machine ends or grows by them.

use std::time::Duration;

use serde_json::json;
use testbed::body::Step;
use testbed::http::{Client, Request};
use testbed::mesh::{Builder, Mesh};
use testbed::model::Answer;
use testbed::wait;

use super::everything;
use crate::support::{Guarded, ana};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(the_worst_bodies_take_no_memory);

const MEGABYTE: u64 = 1 << 20;

/// What a virtual machine may have, in bytes: it has the module, the policy, and twice what
/// Envoy holds of a body.
const MAX_MEMORY_BYTES: u64 = 96 * MEGABYTE;

/// The largest memory of a virtual machine, which says so now and then.
fn memory(mesh: &Mesh) -> u64 {
    let gauge = "portcullis_memory_bytes";
    let most = wait::value(gauge, Duration::from_secs(30), || {
        let found = mesh.stats(gauge).unwrap().into_values().max();
        found.filter(|bytes| *bytes > 0)
    });
    most.unwrap()
}

fn the_worst_bodies_take_no_memory(version: &str) {
    let guarded = Guarded::start_with(version, &everything(), Builder::alone);
    let vms = Vms::of(&guarded.mesh);
    let fill = |byte: u8, megabytes: u64| Step::Fill(byte, megabytes * MEGABYTE);
    let again = |unit: &str| Step::data(unit.repeat(100_000));
    let json = "application/json";
    let stream = "text/event-stream";
    for (what, kind, steps) in [
        (
            "a string of 64 MiB",
            json,
            vec![Step::data("[\""), fill(b'a', 64), Step::data("\"]")],
        ),
        (
            "a string of 64 MiB of digits",
            json,
            vec![Step::data("[\""), fill(b'1', 64), Step::data("\"]")],
        ),
        (
            "a key of 4 MiB",
            json,
            vec![Step::data("{\""), fill(b'k', 4), Step::data("\":1}")],
        ),
        (
            "a number of 4 MiB",
            json,
            vec![Step::data("["), fill(b'1', 4), Step::data("]")],
        ),
        ("arrays in arrays", json, vec![again("[")]),
        ("objects in objects", json, vec![again("{\"a\":")]),
        (
            "addresses that never end",
            json,
            vec![Step::data("[\""), again("a@"), Step::data("\"]")],
        ),
        (
            "cards that never end",
            json,
            vec![Step::data("[\""), again("4111 "), Step::data("\"]")],
        ),
        ("tokens that never end", "text/plain", vec![again("eyJ")]),
        ("empty events", stream, vec![again("data:\n\n")]),
        (
            "addresses in events that never end",
            stream,
            vec![again(
                "data: {\"choices\":[{\"delta\":{\"content\":\"a@\"}}]}\n\n",
            )],
        ),
    ] {
        let sent: u64 = steps
            .iter()
            .map(|step| match step {
                Step::Data(bytes) => bytes.len() as u64,
                Step::Fill(_, count) => *count,
                _ => 0,
            })
            .sum();
        let answer = Answer::new(200).header("content-type", kind);
        guarded.model.answer("/worst", answer.steps(steps));
        let client = Client::http1(guarded.mesh.port()).unwrap();
        let response = client.send(Request::get("/worst").bearer(&ana())).unwrap();
        assert_eq!((response.status, &response.broken), (200, &None), "{what}");
        // None of them has anything to mask in it, but for runs that are masked as what they may
        // become where they are longer than that.
        assert!(response.body.len() as u64 <= sent, "{what}");
        assert!(!response.body.is_empty(), "{what}");
        let now = memory(&guarded.mesh);
        assert!(now <= MAX_MEMORY_BYTES, "{now} bytes behind {what}");
    }
    vms.all_live(&guarded.mesh);
    // And what is to be masked still is.
    let answer = Answer::json(&json!({"text": "jane.doe@example.com"}));
    guarded.model.answer("/worst", answer);
    let response = guarded.send(Request::get("/worst").bearer(&ana()));
    assert_eq!(response.json(), json!({"text": "[EMAIL]"}));
}
