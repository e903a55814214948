//! What is in flight, and the ways in which it ends.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step};
use testbed::http::raw::Connection;
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::{process, wait, wasm};

use super::token;
use crate::modules::trapping;
use crate::support::{Guarded, code, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    a_slot_is_free_however_its_exchange_ends,
    slots_of_a_vm_that_crashed_are_free_after_the_lease,
);

const LIMIT: usize = 4;

/// A policy of so many at once, with a short lease.
fn at_once() -> Value {
    policy(&json!({
        "quotas": {"at-once": {"by": ["subject"], "count": "in_flight", "limit": LIMIT, "lease": "3s"}},
        "rules": [
            {"name": "none", "when": {"operation": ["inference.*"], "model": ["none"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "quota": ["at-once"]},
        ],
    }))
}

/// The model's answer begins, and goes on with the gate.
fn begins(gate: &Gate) -> Answer {
    let steps = vec![
        Step::data("begins "),
        Step::Wait(gate.clone()),
        Step::data("ends"),
    ];
    Answer::new(200)
        .header("content-type", "text/plain")
        .steps(steps)
}

fn stream() -> Request {
    Request::get("/stream").bearer(&token("ana"))
}

/// Takes all slots, and gives them back by letting the answers end.
fn all_can_be_taken(guarded: &Guarded) -> bool {
    let gate = Gate::new();
    guarded.model.answer("/stream", begins(&gate));
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let held: Vec<_> = (0..LIMIT).map(|_| client.open(stream()).unwrap()).collect();
    let taken = held.iter().all(|one| one.status == 200);
    // For those, and for whoever asks next.
    gate.open(100 * LIMIT);
    for one in held {
        let _ = one.read();
    }
    taken
}

fn a_slot_is_free_however_its_exchange_ends(version: &str) {
    let guarded = Guarded::start(version, &at_once());
    let port = guarded.mesh.port();
    let full = |why: &str| {
        let refused = guarded.send(stream());
        assert_eq!(
            (refused.status, code(&refused).as_str()),
            (429, "quota_exceeded"),
            "{why}"
        );
        assert_eq!(refused.header("retry-after"), Some("1"));
    };
    let free = |why: &str| {
        let what = format!("slots after {why}");
        wait::until(&what, Duration::from_secs(20), || {
            let gate = Gate::new();
            gate.open(LIMIT);
            guarded.model.answer("/stream", begins(&gate));
            let client = Client::http2(port).unwrap();
            (0..LIMIT).all(|_| client.send(stream()).unwrap().status == 200)
        })
        .unwrap();
        // All at once, too.
        wait::until(&what, Duration::from_secs(20), || {
            all_can_be_taken(&guarded)
        })
        .unwrap();
        wait::until(&what, Duration::from_secs(20), || {
            guarded.send(stream()).status == 200
        })
        .unwrap();
    };

    // Answers that end.
    let gate = Gate::new();
    guarded.model.answer("/stream", begins(&gate));
    let client = Client::http2(port).unwrap();
    let held: Vec<_> = (0..LIMIT).map(|_| client.open(stream()).unwrap()).collect();
    full("all are taken");
    gate.open(LIMIT);
    for one in held {
        assert_eq!(one.read().text(), "begins ends");
    }
    free("answers that ended");

    // Streams that the client resets.
    guarded.model.answer("/stream", begins(&Gate::new()));
    let held: Vec<_> = (0..LIMIT).map(|_| client.open(stream()).unwrap()).collect();
    full("before the resets");
    drop(held);
    free("streams that were reset");

    // Clients that are killed, in the middle of an answer and before one.
    guarded.model.answer("/stream", begins(&Gate::new()));
    let head = format!(
        "GET /stream HTTP/1.1\r\nhost: models\r\nauthorization: Bearer {}\r\n\r\n",
        token("ana")
    );
    let before = guarded.model.begun();
    let mut connections: Vec<Connection> = (0..LIMIT)
        .map(|_| Connection::open(port).unwrap())
        .collect();
    for connection in &mut connections {
        connection.send(head.as_bytes()).unwrap();
    }
    wait::until("all to be taken", Duration::from_secs(20), || {
        guarded.model.begun() - before == LIMIT
    })
    .unwrap();
    full("before the kills");
    drop(connections);
    free("clients that were killed");

    // A model server that fails, and one that breaks off.
    guarded.model.answer("/stream", Answer::new(500));
    for _ in 0..3 * LIMIT {
        assert_eq!(guarded.send(stream()).status, 500);
    }
    free("a model server that failed");
}

fn slots_of_a_vm_that_crashed_are_free_after_the_lease(version: &str) {
    let folder = process::folder().unwrap();
    let module = folder.path().join("trapping.wasm");
    let export = "proxy_on_request_trailers";
    fs::write(&module, trapping(&wasm::build().unwrap(), export)).unwrap();
    let guarded = Guarded::start_with(version, &at_once(), |builder| builder.module(&module));
    guarded.model.answer("/stream", begins(&Gate::new()));
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let held: Vec<_> = (0..LIMIT).map(|_| client.open(stream()).unwrap()).collect();
    assert!(held.iter().all(|one| one.status == 200));
    assert_eq!(guarded.send(stream()).status, 429);

    // The worker's VM is gone, and with it all that it knew.
    let trailers = Step::Trailers(vec![("x-sum".to_owned(), "1".to_owned())]);
    let body = json!({"model": "small-1", "messages": []}).to_string();
    let trap = Request::post("/v1/chat/completions")
        .bearer(&token("bob"))
        .header("content-type", "application/json")
        .steps(vec![Step::data(body), trailers]);
    let _ = client.send(trap);
    drop(held);
    wait::until("the lease to end", Duration::from_secs(30), || {
        all_can_be_taken(&guarded)
    })
    .unwrap();
    let reloads = guarded.mesh.stats("vm_reload_success").unwrap();
    assert_eq!(reloads.values().sum::<u64>(), 1, "{reloads:?}");
}
