//! Requests that a person must approve, with the real desk: held, decided, used once, and never
//! passed because nobody could be asked.

mod breaker;
mod clients;
mod crowds;
mod grants;
mod idle;
mod latency;
mod protocols;
mod two_desks;
mod updates;

use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Client, Request, Response};
use testbed::kserve::{InferRequest, InferResponse};
use testbed::{grpc, wait};

use crate::support::{CREDENTIAL, Desk, Guarded, code, idp, policy};
use crate::versions::in_envoys;

in_envoys!(
    every [requests_wait_for_a_person]
    each [nobody_can_be_asked]
    current []
);

/// A policy with gates; `wait` is how long a request is held.
fn gated(wait: &str, key: &str) -> Value {
    policy(&json!({
        "approvals": {
            "cluster": "desk",
            "credential": format!("Bearer ${{{key}}}"),
            "wait": wait,
            "timeout": "10s",
        },
        "rules": [
            {
                "name": "tuning-needs-a-person",
                "when": {"operation": ["model.tune", "model.export"]},
                "then": {"approve": {"reviewers": ["ml-leads"]}},
            },
            {
                "name": "bulk-needs-a-person",
                "when": {"items": {"over": 2}},
                "then": {"approve": {"reviewers": ["ml-leads", "others"]}},
            },
            {"name": "engineers", "when": {"group": ["engineers"]}, "then": "allow"},
        ],
    }))
}

fn start(version: &str, desk: &Desk) -> Guarded {
    // Long enough for every decision that a test makes, on whatever machine.
    Guarded::start_with(version, &gated("5m", "DESK_KEY"), |builder| {
        builder
            .variable("WRONG_KEY", "filter-key-that-nobody-knows")
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
            .listener("soon", gated("300ms", "DESK_KEY"))
            .listener("some", gated("3s", "DESK_KEY"))
            .listener("wrong-key", gated("5m", "WRONG_KEY"))
    })
}

fn token(subject: &str) -> String {
    idp().good(subject, &["engineers"])
}

fn tune(subject: &str, file: &str) -> Request {
    let body = json!({"model": "small-1", "training_file": file});
    Request::post("/v1/fine_tuning/jobs")
        .bearer(&token(subject))
        .json(&body)
}

fn message(answer: &Response) -> String {
    let body = answer.json();
    body["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn requests_wait_for_a_person(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk);
    an_approved_request_passes_once(&guarded, &desk);
    a_denied_request_does_not_pass(&guarded, &desk);
    each_gate_asks_for_itself(&guarded, &desk);
    an_approval_is_for_one_request(&guarded, &desk);
    who_leaves_is_not_served(&guarded, &desk);
}

fn an_approved_request_passes_once(guarded: &Guarded, desk: &Desk) {
    guarded.model.forget();
    let client = Client::http1(guarded.mesh.port()).unwrap();
    let held = client
        .start(tune("ana", "file-1").header("host", "approved.test"))
        .unwrap();
    let approval = desk.pending("ana");
    for (member, expected) in [
        ("issuer", json!(idp().issuer())),
        ("provider", json!("corp")),
        ("groups", json!(["engineers"])),
        ("operation", json!("model.tune")),
        ("method", json!("POST")),
        ("path", json!("/v1/fine_tuning/jobs")),
        ("model", json!("small-1")),
        ("items", json!(1)),
        ("rule", json!("tuning-needs-a-person")),
        ("reviewers", json!(["ml-leads"])),
        ("filter", json!("edge")),
    ] {
        assert_eq!(
            approval[member], expected,
            "the reviewer sees {member}: {approval}"
        );
    }
    assert!(!held.answered(), "the request was not held");
    assert_eq!(
        guarded.model.begun(),
        0,
        "a held request reached the model server"
    );

    desk.decide(&approval, "approve", "go on");
    let answer = held.response().unwrap().read();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["training_file"], "file-1");
    let received = guarded.model.wait_received(1).unwrap();
    assert_eq!(received.len(), 1, "reached the model server once");
    assert_eq!(
        received[0].json(),
        json!({"model": "small-1", "training_file": "file-1"})
    );
    assert_eq!(
        received[0].header("authorization"),
        Some(format!("Bearer {CREDENTIAL}").as_str())
    );

    let record = guarded.record("approved.test");
    let mut recorded = record["approvals"][0].clone();
    let decided = recorded["decided"].take();
    assert!(decided.as_str() > record["time"].as_str(), "{record}");
    let claim = recorded["claim"].take();
    assert_eq!(claim.as_str().map(str::len), Some(32), "{record}");
    assert_eq!(
        recorded,
        json!({
            "id": approval["id"],
            "state": "approved",
            "rule": "tuning-needs-a-person",
            "reviewer": "lea",
            "reason": "go on",
            "decided": null,
            "claim": null,
            "given_back": false,
            "kept_from": null,
        })
    );
    assert_eq!(record["verdict"]["action"], "allow", "{record}");
    assert_eq!(record["verdict"]["rule"], "engineers", "{record}");
}

fn a_denied_request_does_not_pass(guarded: &Guarded, desk: &Desk) {
    guarded.model.forget();
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let held = client.start(tune("dora", "file-1")).unwrap();
    let approval = desk.pending("dora");
    desk.decide(&approval, "deny", "not on a Friday");
    let answer = held.response().unwrap().read();
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(code(&answer), "approval_denied");
    assert!(
        message(&answer).contains("not on a Friday"),
        "{}",
        answer.text()
    );
    assert!(
        message(&answer).contains(approval["id"].as_str().unwrap()),
        "{}",
        answer.text()
    );

    let again = guarded.send(tune("dora", "file-1"));
    assert_eq!(
        (again.status, code(&again).as_str()),
        (403, "approval_denied"),
        "asked again"
    );
    for record in records_of(guarded, "dora", 2) {
        assert_eq!(record["approvals"][0]["state"], "denied", "{record}");
        assert_eq!(record["approvals"][0]["id"], approval["id"], "{record}");
        assert_eq!(record["verdict"]["code"], "approval_denied", "{record}");
    }
    assert_eq!(
        guarded.model.begun(),
        0,
        "a denied request reached the model server"
    );
}

/// The records of a subject, once there are as many.
fn records_of(guarded: &Guarded, subject: &str, count: usize) -> Vec<Value> {
    let what = format!("{count} records of {subject}");
    let found = wait::value(&what, Duration::from_secs(30), || {
        let all = guarded.mesh.sessions(0).unwrap().into_iter();
        let of_subject: Vec<Value> = all
            .filter(|one| one["identity"]["subject"] == subject)
            .collect();
        (of_subject.len() >= count).then_some(of_subject)
    });
    found.unwrap()
}

/// What is approved at one gate goes on to the rules behind it.
fn each_gate_asks_for_itself(guarded: &Guarded, desk: &Desk) {
    guarded.model.forget();
    let embed = |token: &str| {
        let body = json!({"model": "small-1", "input": ["a", "b", "c"]});
        Request::post("/v1/embeddings").bearer(token).json(&body)
    };
    let client = Client::http1(guarded.mesh.port()).unwrap();
    let held = client.start(embed(&token("ben"))).unwrap();
    let approval = desk.pending("ben");
    assert_eq!(approval["rule"], "bulk-needs-a-person", "{approval}");
    assert_eq!(approval["items"], 3, "{approval}");
    desk.decide(&approval, "approve", "");
    assert_eq!(held.response().unwrap().read().status, 200);
    assert_eq!(guarded.model.begun(), 1);

    // A gRPC call waits like any other request.
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {}", token("gita"));
    let message = InferRequest::of_texts("small-1", &["a", "b", "c"]);
    let call = grpc::request("ModelInfer", &[message], &[("authorization", &bearer)]);
    let held = client.start(call).unwrap();
    let approval = desk.pending("gita");
    assert_eq!(approval["items"], 3, "{approval}");
    assert_eq!(
        guarded.model.begun(),
        1,
        "a held call reached the model server"
    );
    desk.decide(&approval, "approve", "");
    let answer = grpc::answer::<InferResponse>(held.response().unwrap().read()).unwrap();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(guarded.model.begun(), 2);

    // An approval is no right: nothing behind the gate allows this caller anything.
    let client = Client::http1(guarded.mesh.port()).unwrap();
    let held = client.start(embed(&idp().good("visitor", &[]))).unwrap();
    desk.decide(&desk.pending("visitor"), "approve", "");
    let answer = held.response().unwrap().read();
    assert_eq!(
        (answer.status, code(&answer).as_str()),
        (403, "denied"),
        "{}",
        answer.text()
    );
    assert_eq!(
        guarded.model.begun(),
        2,
        "a request of nobody's reached the model server"
    );
}

fn an_approval_is_for_one_request(guarded: &Guarded, desk: &Desk) {
    let undecided = |case: &str, request: Request| -> String {
        let answer = guarded.send_to("soon", request);
        assert_eq!(answer.status, 409, "{case}: {}", answer.text());
        assert_eq!(code(&answer), "approval_pending", "{case}");
        assert_eq!(answer.header("x-should-retry"), Some("true"), "{case}");
        assert_eq!(answer.header("retry-after"), Some("5"), "{case}");
        let message = message(&answer);
        let id = message
            .split(['(', ')'])
            .find(|part| part.starts_with("apr_"));
        id.unwrap_or_else(|| panic!("{case}: no id in {message:?}"))
            .to_owned()
    };
    guarded.model.forget();
    let id = undecided("the first time", tune("cleo", "file-1"));
    let approval = desk.pending("cleo");
    assert_eq!(
        approval["id"],
        id.as_str(),
        "the client is told the approval's id"
    );
    assert_eq!(
        undecided("the same again", tune("cleo", "file-1")),
        id,
        "one question, one id"
    );
    desk.decide(&approval, "approve", "");

    let others = [
        ("another body", tune("cleo", "file-2")),
        ("another subject", tune("carl", "file-1")),
        ("another query", {
            let body = json!({"model": "small-1", "training_file": "file-1"});
            Request::post("/v1/fine_tuning/jobs?dry=0")
                .bearer(&token("cleo"))
                .json(&body)
        }),
        (
            "another host",
            tune("cleo", "file-1").header("host", "other.test"),
        ),
    ];
    let mut ids = vec![id];
    for (case, request) in others {
        let id = undecided(case, request);
        assert!(
            !ids.contains(&id),
            "{case} got the approval of another request"
        );
        ids.push(id);
    }
    assert_eq!(
        guarded.model.begun(),
        0,
        "what nobody approved reached the model server"
    );

    let answer = guarded.send_to("soon", tune("cleo", "file-1"));
    assert_eq!(
        answer.status,
        200,
        "the approved request: {}",
        answer.text()
    );
    assert_eq!(guarded.model.begun(), 1);
    let id = undecided("after it was used", tune("cleo", "file-1"));
    assert!(!ids.contains(&id), "an approval was used twice");
    assert_eq!(guarded.model.begun(), 1);
}

fn who_leaves_is_not_served(guarded: &Guarded, desk: &Desk) {
    guarded.model.forget();
    for (subject, client) in [
        ("lena", Client::http1(guarded.mesh.port()).unwrap()),
        ("luis", Client::http2(guarded.mesh.port()).unwrap()),
    ] {
        let held = client.start(tune(subject, "file-1")).unwrap();
        let approval = desk.pending(subject);
        drop(held);
        drop(client);
        for record in records_of(guarded, subject, 1) {
            assert_eq!(record["verdict"]["action"], "none", "{record}");
            // The client may have left before the desk's first answer was there.
            let state = record["approvals"][0]["state"].as_str();
            assert!(matches!(state, Some("asked" | "pending")), "{record}");
        }
        // The desk is told that nobody waits any more.
        let path = format!("/v1/approvals/{}", approval["id"].as_str().unwrap());
        let left = || desk.get(&path)["waiting"] == 0;
        wait::until("the desk to hear of it", Duration::from_secs(30), left).unwrap();
        desk.decide(&approval, "approve", "");
        let after = guarded.send(Request::get("/v1/models").bearer(&token(subject)));
        assert_eq!(
            after.status,
            200,
            "the filter still works: {}",
            after.text()
        );
    }
    let received = guarded.model.received();
    let paths: Vec<&str> = received.iter().map(|one| one.path.as_str()).collect();
    let served = ["/v1/models", "/v1/models"];
    assert_eq!(
        paths, served,
        "a request whose client had left reached the model server"
    );
}

fn nobody_can_be_asked(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk);
    let away = |case: &str, expected: &str, answer: &Response| {
        assert_eq!(answer.status, 503, "{case}: {}", answer.text());
        assert_eq!(code(answer), expected, "{case}");
        assert!(answer.header("retry-after").is_some(), "{case}");
    };
    let request = tune("ana", "file-1").header("host", "wrong-key.test");
    away(
        "a key that the desk does not know",
        "approval_key_refused",
        &guarded.send_to("wrong-key", request),
    );
    let record = guarded.record("wrong-key.test");
    assert_eq!(record["approvals"][0]["state"], "unavailable", "{record}");
    assert_eq!(
        desk.get("/v1/approvals")["approvals"],
        json!([]),
        "the desk took the question"
    );

    let port = guarded.mesh.port_of("some").unwrap();
    let client = Client::http1(port).unwrap();
    let held = client
        .start(tune("ana", "file-1").header("host", "stopped.test"))
        .unwrap();
    desk.pending("ana");
    drop(desk);
    away(
        "a desk that stops while it is asked, and isn't back in time",
        "approval_unavailable",
        &held.response().unwrap().read(),
    );
    assert_eq!(
        guarded.record("stopped.test")["approvals"][0]["state"],
        "unavailable"
    );
    away(
        "a desk that is stopped",
        "approval_unavailable",
        &guarded.send(tune("ana", "file-1")),
    );
    assert_eq!(
        guarded.model.begun(),
        0,
        "what nobody approved reached the model server"
    );
    let other = guarded.send(Request::get("/v1/models").bearer(&token("ana")));
    assert_eq!(
        other.status,
        200,
        "what needs no approval: {}",
        other.text()
    );
}
