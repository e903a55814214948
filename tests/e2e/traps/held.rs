//! Requests that are held: while their body comes, while the desk is asked, and when the client
//! leaves meanwhile.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step, split};
use testbed::http::{Client, Request};
use testbed::mesh::Mesh;
use testbed::wait;

use super::gated;
use crate::support::{Desk, Guarded, ana, chat, chat_body};
use crate::versions::in_envoys;
use crate::vms::Vms;

in_envoys!(
    every [nothing_goes_ahead_of_an_approval]
    each [a_client_that_leaves_takes_nothing_with_it]
    current []
);

/// How much of a body is sent at a time, in bytes.
const PIECE: usize = 4000;

fn guarded(version: &str, desk: &Desk) -> Guarded {
    let mut policy = gated("desk");
    policy["approvals"]["credential"] = json!("Bearer ${DESK_KEY}");
    policy["rules"][0]["then"]["approve"]["reviewers"] = json!(["ml-leads"]);
    Guarded::start_with(version, &policy, |builder| {
        builder.cluster_http2("desk", desk.port)
    })
}

/// What waits for a decision.
fn waiting(desk: &Desk) -> Value {
    desk.get("/v1/approvals?state=pending")["approvals"].clone()
}

/// Sends something that a person approves.
fn approved<T: Send>(desk: &Desk, send: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let held = scope.spawn(send);
        desk.decide(&desk.pending("ana"), "approve", "");
        held.join().unwrap()
    })
}

fn nothing_goes_ahead_of_an_approval(version: &str) {
    let desk = Desk::start();
    let guarded = guarded(version, &desk);
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    model.say("write to ana@corp.com");
    let body = chat_body(&"Train on all of it. ".repeat(2000)).to_string();
    let pieces = split(body.as_bytes(), PIECE);
    let trailers = Step::Trailers(vec![("x-sum".to_owned(), "1".to_owned())]);
    for (name, two, trailers) in [
        ("HTTP/1", false, None),
        ("HTTP/2", true, None),
        ("HTTP/2 with trailers", true, Some(trailers)),
    ] {
        let client = match two {
            true => Client::http2(mesh.port()).unwrap(),
            false => Client::http1(mesh.port()).unwrap(),
        };
        let gate = Gate::new();
        let mut steps = Vec::new();
        for piece in pieces.iter().cloned().chain(trailers) {
            steps.extend([Step::Wait(gate.clone()), piece]);
        }
        // What ends an HTTP/1 body waits too.
        steps.push(Step::Wait(gate.clone()));
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .header("content-type", "application/json")
            .steps(steps);
        let pending = client.start(request).unwrap();
        for piece in body.as_bytes().chunks(PIECE) {
            let enough = received(mesh) + piece.len() as u64;
            gate.open(1);
            wait::until(name, Duration::from_secs(10), || received(mesh) >= enough).unwrap();
            assert_eq!((waiting(&desk), model.begun()), (json!([]), 0), "{name}");
            assert!(!pending.answered(), "{name}");
        }
        gate.open(2);
        let asked = desk.pending("ana");
        assert_eq!(asked["operation"], "inference.chat");
        assert_eq!(
            model.begun(),
            0,
            "{name}: the model was asked before the approval"
        );
        assert!(!pending.answered());
        desk.decide(&asked, "approve", "");
        let response = pending.response().unwrap().read();
        assert_eq!(response.status, 200, "{name}: {}", response.text());
        assert!(
            response.text().contains("write to [EMAIL]"),
            "{}",
            response.text()
        );
        let got = model.received();
        assert_eq!(got.len(), 1, "{name}");
        assert!(got[0].body == body.as_bytes(), "{name}: the body changed");
        model.forget();
    }
    vms.all_live(mesh);
}

fn a_client_that_leaves_takes_nothing_with_it(version: &str) {
    let desk = Desk::start();
    let guarded = guarded(version, &desk);
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    for two in [false, true] {
        let connect = || match two {
            true => Client::http2(mesh.port()).unwrap(),
            false => Client::http1(mesh.port()).unwrap(),
        };
        // While its body comes.
        let client = connect();
        let gate = Gate::new();
        let steps = vec![Step::data(b"{\"model\":"), Step::Wait(gate)];
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .header("content-type", "application/json")
            .steps(steps);
        let pending = client.start(request).unwrap();
        wait_active(mesh, 1);
        drop(pending);
        drop(client);
        wait_active(mesh, 0);
        assert_eq!(waiting(&desk), json!([]));

        // While the desk is asked.
        let client = connect();
        let pending = client.start(chat(&ana(), &format!("Hi {two}"))).unwrap();
        let asked = desk.pending("ana");
        drop(pending);
        drop(client);
        wait_active(mesh, 0);
        // The desk approves what nobody waits for any more.
        desk.decide(&asked, "approve", "");

        // While the model answers.
        let text = model.say_gated(&["One ", "two"]);
        let client = connect();
        let mut body = chat_body(&format!("Hello {two}"));
        body["stream"] = Value::Bool(true);
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .json(&body);
        let mut stream = approved(&desk, || client.open(request).unwrap());
        assert_eq!(stream.status, 200);
        assert!(stream.next_event().unwrap().is_some());
        drop(stream);
        drop(client);
        wait_active(mesh, 0);
        text.open(10);
        assert_eq!(model.begun(), 1, "only the last request was answered");
        model.forget();
    }
    // All of it has its record, and others are served.
    let records = mesh.sessions(6).unwrap();
    assert_eq!(records.len(), 6);
    model.say("write to ana@corp.com");
    let response = approved(&desk, || guarded.send(chat(&ana(), "Hi")));
    assert!(
        response.text().contains("write to [EMAIL]"),
        "{}",
        response.text()
    );
    vms.all_live(mesh);
}

/// What Envoy has received from clients, in bytes.
fn received(mesh: &Mesh) -> u64 {
    stat(mesh, "http.inference.downstream_cx_rx_bytes_total")
}

fn wait_active(mesh: &Mesh, count: u64) {
    let name = "http.inference.downstream_rq_active";
    let what = format!("{count} active requests");
    wait::until(&what, Duration::from_secs(10), || stat(mesh, name) == count).unwrap();
}

fn stat(mesh: &Mesh, name: &str) -> u64 {
    mesh.stats(name).unwrap().get(name).copied().unwrap_or(0)
}
