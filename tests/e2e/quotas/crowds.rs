//! Many workers, many connections, many names.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::http::raw::Connection;
use testbed::http::{Client, Request};
use testbed::model::Answer;

use super::{LONG, token};
use crate::support::{Guarded, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    exactly_a_thousand_pass_of_eight_workers,
    no_span_has_more_than_the_limit_at_full_rate,
    names_that_are_made_up_shut_nobody_out,
);

const WORKERS: u32 = 8;
const CONNECTIONS: usize = 64;
const THREADS: usize = 8;
const LIMIT: usize = 1000;

/// One request after the other on each of many connections, as long as `next` gives some; gives how
/// many were answered with 200, and the longest that one of them took.
fn crowd(
    port: u16,
    connections: usize,
    next: &(dyn Fn(usize, usize) -> Option<Vec<u8>> + Sync),
) -> (usize, Duration) {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let each = connections / THREADS;
                    let mut open: Vec<Connection> =
                        (0..each).map(|_| Connection::open(port).unwrap()).collect();
                    let mut passed = 0;
                    let mut longest = Duration::ZERO;
                    for round in 0.. {
                        let start = Instant::now();
                        let requests = (0..each).map(|number| next(thread * each + number, round));
                        let Some(requests) = requests.collect::<Option<Vec<_>>>() else {
                            return (passed, longest);
                        };
                        for (connection, request) in open.iter_mut().zip(&requests) {
                            connection.send(request).unwrap();
                        }
                        for connection in &mut open {
                            let status = connection.response().unwrap().status;
                            assert!(matches!(status, 200 | 429), "{status}");
                            if status == 200 {
                                passed += 1;
                                longest = longest.max(start.elapsed());
                            }
                        }
                    }
                    (passed, longest)
                })
            })
            .collect();
        let each = threads.into_iter().map(|thread| thread.join().unwrap());
        each.fold((0, Duration::ZERO), |(all, longest), (passed, own)| {
            (all + passed, longest.max(own))
        })
    })
}

fn list(token: &str, host: &str) -> Vec<u8> {
    format!("GET /v1/models HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

fn embed(token: &str, inputs: usize) -> Vec<u8> {
    let body = json!({"model": "small-1", "input": vec!["x"; inputs]}).to_string();
    format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: models\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn exactly_a_thousand_pass_of_eight_workers(version: &str) {
    let guarded = Guarded::start_with(
        version,
        &policy(&json!({
            "quotas": {
                "requests": {"by": ["subject"], "count": "requests", "limit": LIMIT, "per": LONG},
                "items": {"by": ["subject"], "count": "items", "limit": LIMIT, "per": LONG},
            },
            "rules": [
                {"name": "list", "when": {"operation": ["model.list"]}, "then": "allow", "quota": ["requests"]},
                {"name": "embed", "when": {"operation": ["embedding.create"]}, "then": "allow", "quota": ["items"]},
            ],
        })),
        |builder| builder.concurrency(WORKERS).without_access_logs(),
    );
    for key in 0..10 {
        let token = token(&format!("person-{key}"));
        let request = list(&token, "models");
        guarded.model.forget();
        let port = guarded.mesh.port();
        let next = |_, round| (round < 20).then(|| request.clone());
        let (passed, _) = crowd(port, CONNECTIONS, &next);
        let reached = guarded.model.begun();
        assert_eq!((passed, reached), (LIMIT, LIMIT), "of requests, key {key}");

        guarded.model.forget();
        // One to three at a time, and at last only ones, which take what is left.
        let next = |connection: usize, round: usize| {
            let inputs = 1 + (connection + round) % 3;
            (round < 20).then(|| embed(&token, if round < 14 { inputs } else { 1 }))
        };
        crowd(port, CONNECTIONS, &next);
        let received = guarded.model.received();
        let inputs = received
            .iter()
            .map(|one| one.json()["input"].as_array().unwrap().len());
        assert_eq!(inputs.sum::<usize>(), LIMIT, "of items, key {key}");
    }
}

fn no_span_has_more_than_the_limit_at_full_rate(version: &str) {
    const PER: Duration = Duration::from_secs(3);
    const RATE: usize = 300;
    const BURST: usize = 50;
    let guarded = Guarded::start_with(
        version,
        &policy(&json!({
            "quotas": {
                "slides": {"by": ["subject"], "count": "requests", "limit": RATE, "per": "3s"},
                "leaks": {"by": ["subject"], "count": "requests", "limit": RATE, "per": "3s", "burst": BURST},
            },
            "rules": [
                {"name": "slides", "when": {"host": ["slides"]}, "then": "allow", "quota": ["slides"]},
                {"name": "leaks", "when": {"host": ["leaks"]}, "then": "allow", "quota": ["leaks"]},
            ],
        })),
        |builder| builder.concurrency(WORKERS).without_access_logs(),
    );
    let token = token("ana");
    // Without bodies: an answer in front of one ends the connection.
    for (what, most) in [("slides", RATE), ("leaks", RATE + BURST)] {
        let request = list(&token, what);
        guarded.model.forget();
        let start = Instant::now();
        let next = |_, _| (start.elapsed() < 4 * PER).then(|| request.clone());
        let (passed, longest) = crowd(guarded.mesh.port(), 16, &next);
        assert_eq!(passed, guarded.model.begun(), "{what}");
        assert!(passed >= 3 * RATE, "{what}: {passed} passed");
        // Between its charge and its arrival a request takes no longer than to its answer.
        let span = PER.checked_sub(longest).unwrap();
        assert!(span >= PER / 2, "{what}: a request took {longest:?}");
        let mut times: Vec<Instant> = guarded.model.received().iter().map(|one| one.at).collect();
        times.sort();
        for (first, time) in times.iter().enumerate() {
            let inside = times[first..]
                .iter()
                .take_while(|other| **other - *time < span);
            let count = inside.count();
            assert!(count <= most, "{what}: {count} in {span:?}");
        }
    }
}

fn names_that_are_made_up_shut_nobody_out(version: &str) {
    /// A hundred thousand take minutes: PORTCULLIS_NAMES=100000.
    const NAMES: usize = 3000;
    let names = env::var("PORTCULLIS_NAMES")
        .ok()
        .and_then(|text| text.parse().ok());
    let names: usize = names.unwrap_or(NAMES);
    let guarded = Guarded::start_with(
        version,
        &policy(&json!({
            // Room for some five hundred counts.
            "store": {"size": "64KiB"},
            "quotas": {"model": {"by": ["subject", "model"], "count": "requests", "limit": 20, "per": LONG}},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "quota": ["model"]}],
        })),
        |builder| builder.concurrency(2).without_access_logs(),
    );
    guarded.model.answer("/v1/rerank", Answer::new(200));
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let ask = |token: &str, model: &str| {
        let body = json!({"model": model, "query": "a", "documents": ["b"]});
        let request = Request::post("/v1/rerank").bearer(token).json(&body);
        client.send(request).unwrap().status
    };
    let resident = token("resident");
    assert_eq!(ask(&resident, "small-1"), 200);
    let mallory = token("mallory");
    let passed = (0..names).filter(|number| ask(&mallory, &format!("made-up-{number}")) == 200);
    assert_eq!(
        passed.count(),
        64 + 20,
        "64 names, and as many of all others as of one"
    );
    for number in 0..200 {
        let token = token(&format!("person-{number}"));
        assert_eq!(ask(&token, "small-1"), 200, "person {number}");
    }
    assert_eq!(ask(&resident, "small-1"), 200);
    assert_eq!(ask(&mallory, "made-up-0"), 200, "a name that it has");
}
