//! How an exchange ended, and where it was: a broken answer must not look complete.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step};
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::wait;

use crate::support::{CREDENTIAL, Guarded, ana, policy};
use crate::versions::in_each_envoy;

in_each_envoy!(every_end_is_told_apart);

/// A request that is known in the records by its path.
fn get(name: &str) -> Request {
    Request::get(&path(name)).bearer(&ana())
}

fn path(name: &str) -> String {
    format!("/v1/models/{name}")
}

fn every_end_is_told_apart(version: &str) {
    // Nothing of what isn't masked is looked at, and its end is told all the same.
    for masked in [false, true] {
        let mut all = json!({
            "name": "all",
            "when": {"operation": ["*", "unknown"]},
            "then": "allow",
        });
        if masked {
            all["mask"] = json!(["pii"]);
        }
        let none = json!({"name": "none", "when": {"path": [path("refused")]}, "then": "deny"});
        let written = policy(&json!({
            "masks": {"pii": {"detect": ["email"]}},
            "rules": [none, all],
        }));
        for two in [false, true] {
            let guarded = Guarded::start_with(version, &written, |builder| {
                builder.log_running("0.1s").route(json!({
                    "name": "hurried",
                    "match": {"path": path("slow")},
                    "route": {"cluster": "models", "timeout": "0.2s"},
                }))
            });
            each_end(&guarded, two, version);
        }
    }
}

fn each_end(guarded: &Guarded, two: bool, version: &str) {
    let model = &guarded.model;
    let client = || match two {
        false => Client::http1(guarded.mesh.port()).unwrap(),
        true => Client::http2(guarded.mesh.port()).unwrap(),
    };
    let text = || Answer::new(200).header("content-type", "text/plain");
    let ended = |name: &str| {
        let path = path(name);
        let what = format!("the record of {path}");
        let record = wait::value(&what, Duration::from_secs(30), || {
            let records = guarded.mesh.sessions(0).unwrap();
            records
                .into_iter()
                .find(|one| one["request"]["path"] == path)
        });
        let record = record.unwrap();
        (record["ended"]["how"].clone(), record)
    };

    model.answer(&path("complete"), text().body("all of it"));
    let ids = get("complete").header(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    assert_eq!(client().send(ids).unwrap().status, 200);
    let (how, record) = ended("complete");
    assert_eq!(how, "complete", "{record}");
    assert_eq!(record["ended"]["details"], "via_upstream", "{record}");
    let mesh = &record["mesh"];
    assert_eq!(mesh["envoy"], version, "{mesh}");
    assert_eq!(mesh["node"], "testbed", "{mesh}");
    let listener = format!("127.0.0.1:{}", guarded.mesh.port());
    assert_eq!(mesh["listener"], listener, "{mesh}");
    assert_eq!(mesh["cluster"], "models", "{mesh}");
    assert_eq!(mesh["endpoint"], format!("127.0.0.1:{}", model.port()));
    assert_eq!(mesh["route"], Value::Null, "it has no name: {mesh}");
    assert_eq!(mesh["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(mesh["request_id"].as_str().unwrap().len(), 36, "{mesh}");
    let peer = mesh["peer"].as_str().unwrap();
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");

    assert_eq!(client().send(get("refused")).unwrap().status, 403);
    let (how, record) = ended("refused");
    assert_eq!(how, "refused", "{record}");

    // The model server breaks off, in front of its head and behind it.
    model.answer(
        &path("broken"),
        text().steps(vec![Step::data("to"), Step::Cut]),
    );
    // Older Envoys let a client of HTTP/2 take this for a whole answer; the record doesn't.
    client().send(get("broken")).unwrap();
    let (how, record) = ended("broken");
    assert_eq!(how, "upstream_reset", "{record}");

    // It takes longer than the route allows.
    let gate = Gate::new();
    model.answer(&path("slow"), text().gated(&gate).body("late"));
    assert_eq!(client().send(get("slow")).unwrap().status, 504);
    let (how, record) = ended("slow");
    assert_eq!(how, "timed_out", "{record}");
    assert_eq!(record["mesh"]["route"], "hurried", "{record}");
    gate.open(1);

    // The client leaves in the middle of the answer.
    let gate = Gate::new();
    let steps = vec![
        Step::data("some words, "),
        Step::Wait(gate.clone()),
        Step::data("and more"),
    ];
    model.answer(&path("left"), text().steps(steps));
    let leaving = client();
    let mut stream = leaving.open(get("left")).unwrap();
    assert!(stream.next_piece().unwrap().is_some());
    // Envoy's log of exchanges that go on has the number that the record will have.
    let what = "a line of an exchange that goes on";
    let open = wait::value(what, Duration::from_secs(30), || {
        let ended = guarded.mesh.sessions(0).unwrap();
        let over = |open: &Value| ended.iter().any(|one| one["id"] == open["id"]);
        let mut running = guarded.mesh.running().unwrap().into_iter();
        running.find(|open| !over(open))
    });
    let open = open.unwrap();
    assert_eq!(open["open"], true, "{open}");
    drop(stream);
    drop(leaving);
    let (how, record) = ended("left");
    assert_eq!(how, "client_left", "{record}");
    for name in ["id", "worker", "number"] {
        assert_eq!(record[name], open[name], "{name} of {record}");
    }
    gate.open(1);
    assert!(!record.to_string().contains(CREDENTIAL));
}
