//! Requests that are held: while their body comes, while the desk is asked, and when the client
//! leaves meanwhile.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step, split};
use testbed::http::{Client, Request};
use testbed::mesh::Mesh;
use testbed::model::{Answer, Model};
use testbed::wait;

use super::gated;
use crate::support::{Guarded, ana, chat, chat_body, in_each_envoy};
use crate::vms::Vms;

in_each_envoy!(
    nothing_goes_ahead_of_an_approval,
    a_client_that_leaves_takes_nothing_with_it,
);

/// How much of a body is sent at a time, in bytes.
const PIECE: usize = 4000;

/// A desk whose answer waits for the gate.
fn desk(state: &str) -> (Model, Gate) {
    let desk = Model::start().unwrap();
    let gate = Gate::new();
    let body = json!({"id": "apr_1", "state": state}).to_string();
    let steps = vec![Step::Wait(gate.clone()), Step::data(body)];
    let answer = Answer::new(200).header("content-type", "application/json");
    desk.answer("/v1/approvals", answer.steps(steps));
    (desk, gate)
}

fn guarded(version: &str, desk: &Model) -> Guarded {
    Guarded::start_with(version, &gated("desk"), |builder| {
        builder.cluster("desk", desk.port())
    })
}

fn nothing_goes_ahead_of_an_approval(version: &str) {
    let (desk, decided) = desk("approved");
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
            assert_eq!((desk.begun(), model.begun()), (0, 0), "{name}");
            assert!(!pending.answered(), "{name}");
        }
        gate.open(2);
        let asked = desk.wait_received(1).unwrap();
        assert_eq!(asked[0].json()["operation"], "inference.chat");
        assert_eq!(
            model.begun(),
            0,
            "{name}: the model was asked before the approval"
        );
        assert!(!pending.answered());
        decided.open(1);
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
        desk.forget();
    }
    vms.all_live(mesh);
}

fn a_client_that_leaves_takes_nothing_with_it(version: &str) {
    let (desk, decided) = desk("approved");
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
        assert_eq!(desk.begun(), 0);

        // While the desk is asked.
        let client = connect();
        let pending = client.start(chat(&ana(), "Hi")).unwrap();
        desk.wait_received(1).unwrap();
        drop(pending);
        drop(client);
        wait_active(mesh, 0);
        // The desk approves what nobody waits for any more.
        decided.open(1);
        let answered = "cluster.desk.upstream_rq_active";
        wait::until("the desk to be done", Duration::from_secs(10), || {
            mesh.stats(answered).unwrap()[answered] == 0
        })
        .unwrap();
        desk.forget();

        // While the model answers.
        let text = model.say_gated(&["One ", "two"]);
        decided.open(1);
        let client = connect();
        let mut body = chat_body("Hi");
        body["stream"] = Value::Bool(true);
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .json(&body);
        let mut stream = client.open(request).unwrap();
        assert_eq!(stream.status, 200);
        assert!(stream.next_event().unwrap().is_some());
        drop(stream);
        drop(client);
        wait_active(mesh, 0);
        text.open(10);
        assert_eq!(model.begun(), 1, "only the last request was answered");
        model.forget();
        desk.forget();
    }
    // All of it has its record, and others are served.
    let records = mesh.sessions(6).unwrap();
    assert_eq!(records.len(), 6);
    decided.open(1);
    model.say("write to ana@corp.com");
    let response = guarded.send(chat(&ana(), "Hi"));
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
