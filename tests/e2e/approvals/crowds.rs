//! Many at once wait for a person, over four workers: all are decided, nobody disturbs anybody, and a desk
//! that dies meanwhile loses nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Client, Pending, Request, Response};
use testbed::wait;

use super::{gated, tune};
use crate::support::{Desk, Guarded, code};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    five_hundred_are_decided_at_once,
    one_caller_s_crowd_disturbs_nobody,
    a_desk_that_dies_loses_nothing,
);

const PATIENCE: Duration = Duration::from_secs(60);

fn start(version: &str, desk: &Desk, limits: &Value) -> Guarded {
    let mut policy = gated("5m", "DESK_KEY");
    policy["limits"] = json!({ "waiting": limits });
    Guarded::start_with(version, &policy, |builder| {
        builder
            .alone()
            .concurrency(4)
            .cluster_http2("desk", desk.port)
            .most_requests("desk", 5000)
    })
}

/// The ids of what is pending, and whose it is.
fn pending(desk: &Desk) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut path = "/v1/approvals?state=pending&limit=500".to_owned();
    loop {
        let page = desk.get(&path);
        let approvals = page["approvals"].as_array().unwrap();
        let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
        all.extend(
            approvals
                .iter()
                .map(|one| (text(one, "id"), text(one, "subject"))),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/approvals?state=pending&limit=500&before={next}"),
            None => return all,
        }
    }
}

fn decide(desk: &Desk, ids: &[String], decision: &str) {
    let body = json!({"ids": ids, "decision": decision, "reason": "all of them"});
    let answer = desk.send(Request::post("/v1/decisions").json(&body));
    assert_eq!(answer.status, 200, "{}", answer.text());
    for result in answer.json()["results"].as_array().unwrap() {
        assert!(result.get("error").is_none(), "{result}");
    }
}

/// `count` callers' requests, over several connections.
fn hold(guarded: &Guarded, count: usize, connections: usize) -> Vec<Pending> {
    let clients: Vec<_> = (0..connections)
        .map(|_| Client::http2(guarded.mesh.port()).unwrap())
        .collect();
    (0..count)
        .map(|one| {
            let request = tune(&format!("caller-{one}"), "file-1");
            clients[one % connections].start(request).unwrap()
        })
        .collect()
}

fn answers(held: Vec<Pending>) -> Vec<Response> {
    held.into_iter()
        .map(|one| one.response().unwrap().read())
        .collect()
}

fn five_hundred_are_decided_at_once(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk, &json!({"total": 1000, "per_subject": 10}));
    let held = hold(&guarded, 500, 10);
    wait::until("500 questions", PATIENCE, || pending(&desk).len() == 500).unwrap();
    assert_eq!(guarded.model.begun(), 0);
    let (denied, approved): (Vec<_>, Vec<_>) = pending(&desk)
        .into_iter()
        .partition(|(_, subject)| subject.ends_with('7'));
    let ids = |all: Vec<(String, String)>| all.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    decide(&desk, &ids(denied), "deny");
    decide(&desk, &ids(approved), "approve");
    for (one, answer) in answers(held).into_iter().enumerate() {
        let expected = if one % 10 == 7 { 403 } else { 200 };
        assert_eq!(answer.status, expected, "caller-{one}: {}", answer.text());
    }
    assert_eq!(guarded.model.begun(), 450);
}

fn one_caller_s_crowd_disturbs_nobody(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk, &json!({"total": 1000, "per_subject": 50}));
    let clients: Vec<_> = (0..12)
        .map(|_| Client::http2(guarded.mesh.port()).unwrap())
        .collect();
    let crowd: Vec<_> = (0..1200)
        .map(|one| clients[one % 12].start(tune("crowd", "file-1")).unwrap())
        .collect();
    // Those behind the caller's places are told at once.
    let waiting = || crowd.iter().filter(|one| !one.answered()).count();
    wait::until("most of the crowd to be refused", PATIENCE, || {
        waiting() <= 200
    })
    .unwrap();
    let client = Client::http1(guarded.mesh.port()).unwrap();
    let other = client.start(tune("other", "file-1")).unwrap();
    let approval = desk.pending("other");
    desk.decide(&approval, "approve", "");
    assert_eq!(other.response().unwrap().read().status, 200);
    // Equal requests are one question, and one approval lets one of them pass.
    let question = desk.pending("crowd");
    desk.decide(&question, "approve", "");
    let passed = || guarded.model.begun() == 2;
    wait::until("one of the crowd to pass", PATIENCE, passed).unwrap();
    let second = desk.pending("crowd");
    assert_ne!(second["id"], question["id"]);
    desk.decide(&second, "deny", "enough");
    let mut codes: Vec<_> = answers(crowd)
        .iter()
        .map(|answer| match answer.status {
            200 => "passed".to_owned(),
            _ => code(answer),
        })
        .collect();
    assert_eq!(codes.iter().filter(|one| *one == "passed").count(), 1);
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, ["approval_denied", "passed", "too_many_waiting"]);
    assert_eq!(guarded.model.begun(), 2);
}

fn a_desk_that_dies_loses_nothing(version: &str) {
    let mut desk = Desk::start();
    let guarded = start(version, &desk, &json!({"total": 1000, "per_subject": 10}));
    let held = hold(&guarded, 100, 8);
    wait::until("100 questions", PATIENCE, || pending(&desk).len() == 100).unwrap();
    let before: BTreeSet<_> = pending(&desk).into_iter().collect();
    desk.process.kill();
    let place = Arc::clone(&desk.place);
    drop(desk);
    let desk = Desk::start_at(&place);
    let after: BTreeSet<_> = pending(&desk).into_iter().collect();
    assert_eq!(before, after, "what was asked is still there");
    assert_eq!(guarded.model.begun(), 0, "nothing passes meanwhile");
    assert!(held.iter().all(|one| !one.answered()), "all go on waiting");
    let (denied, approved): (Vec<_>, Vec<_>) = after
        .into_iter()
        .partition(|(_, subject)| subject.ends_with('3'));
    let ids = |all: Vec<(String, String)>| all.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    decide(&desk, &ids(approved), "approve");
    decide(&desk, &ids(denied), "deny");
    for (one, answer) in answers(held).into_iter().enumerate() {
        let expected = if one % 10 == 3 { 403 } else { 200 };
        assert_eq!(answer.status, expected, "caller-{one}: {}", answer.text());
    }
    assert_eq!(guarded.model.begun(), 90);
}
