//! An Envoy that keeps bodies back while their heads wait, as it does in meshes whose own resources
//! can't say otherwise: what needs a body is refused, not held for ever.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::body::{Gate, Step};
use testbed::http::{Client, Request};
use testbed::model::Answer;

use crate::support::{Guarded, ana, chat, chat_body, code, policy};
use crate::versions::in_envoys;
use crate::vms::Vms;

in_envoys!(
    every [a_slow_body_is_waited_for]
    each [a_request_that_needs_its_body_is_refused an_answer_that_needs_its_body_is_refused]
    current []
);

/// What a client would call a hang.
const SOON: Duration = Duration::from_secs(5);

fn by_body() -> serde_json::Value {
    policy(&json!({
        "masks": {"cut": {"detect": [{"is": "email", "action": "cut"}]}},
        "rules": [
            {"name": "small", "when": {"model": ["small-*"], "operation": ["inference.*"]}, "then": "allow"},
            {"name": "cut", "when": {"operation": ["unknown"], "method": ["GET"]}, "then": "allow", "mask": ["cut"]},
            {"name": "head", "when": {"operation": ["model.*", "file.*"]}, "then": "allow"},
        ],
    }))
}

fn without(version: &str) -> Guarded {
    // One worker: what one has found out, the other has not.
    Guarded::start_with(version, &by_body(), |builder| {
        builder.concurrency(1).without_stop_iteration()
    })
}

/// How often the filter has said what to set.
fn said(guarded: &Guarded) -> usize {
    guarded
        .mesh
        .log()
        .matches("Set allow_on_headers_stop_iteration: true")
        .count()
}

fn a_request_that_needs_its_body_is_refused(version: &str) {
    let guarded = without(version);
    let vms = Vms::of(&guarded.mesh);
    for http2 in [false, true, false] {
        let client = match http2 {
            true => Client::http2(guarded.mesh.port()).unwrap(),
            false => Client::http1(guarded.mesh.port()).unwrap(),
        };
        let began = Instant::now();
        let answer = client.send(chat(&ana(), "hello")).unwrap();
        assert_eq!(answer.status, 503);
        assert_eq!(code(&answer), "stop_iteration_off");
        assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    }
    assert_eq!(guarded.model.begun(), 0);
    assert_eq!(said(&guarded), 1, "{}", guarded.mesh.log());

    // What its head decides passes, with its body.
    let upload = Request::post("/v1/files")
        .bearer(&ana())
        .header("content-type", "text/plain")
        .body("some bytes");
    let answer = guarded.send(upload);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(guarded.model.received()[0].body, b"some bytes");
    assert_eq!(
        guarded
            .send(Request::get("/v1/models").bearer(&ana()))
            .status,
        200
    );
    vms.all_live(&guarded.mesh);
}

fn an_answer_that_needs_its_body_is_refused(version: &str) {
    let guarded = without(version);
    let answer = Answer::new(200).header("content-type", "text/plain");
    guarded
        .model
        .answer("/told", answer.body("write to ana@example.com"));
    for _ in 0..2 {
        let began = Instant::now();
        let answer = guarded.send(Request::get("/told").bearer(&ana()));
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(code(&answer), "stop_iteration_off");
        assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    }
    assert_eq!(said(&guarded), 1, "{}", guarded.mesh.log());
}

/// With bodies handed over, a body that comes long after its head says nothing.
fn a_slow_body_is_waited_for(version: &str) {
    let guarded = Guarded::start_with(version, &by_body(), |builder| builder.concurrency(1));
    let body = chat_body("hello").to_string();
    let (front, back) = body.split_at(9);
    let gate = Gate::new();
    let request = Request::post("/v1/chat/completions")
        .bearer(&ana())
        .header("content-type", "application/json")
        .steps(vec![
            Step::Wait(gate.clone()),
            Step::data(front),
            Step::Wait(gate.clone()),
            Step::data(back),
        ]);
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let slow = client.start(request).unwrap();
    for _ in 0..2 {
        // The worker has time for many looks.
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(200) {
            let list = Request::get("/v1/models").bearer(&ana());
            assert_eq!(guarded.send(list).status, 200);
        }
        assert!(!slow.answered());
        gate.open(1);
    }
    assert_eq!(slow.response().unwrap().read().status, 200);
    assert_eq!(said(&guarded), 0);
}
