//! Approvals that last, callers that are blocked, and requests that come back.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Client, Request, Response};
use testbed::model::Answer;
use testbed::wait;

use super::{gated, token, tune};
use crate::support::{Desk, Guarded, REVIEWER_KEY, code, idp};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    a_grant_lasts_until_it_is_taken_back,
    a_grant_has_as_many_uses_as_it_says,
    whoever_is_blocked_gets_nothing,
    what_fails_comes_back,
    what_may_have_changed_something_does_not_come_back,
);

const PATIENCE: Duration = Duration::from_secs(30);

/// A change is known everywhere within this time.
const SOON: Duration = Duration::from_secs(2);

fn start(version: &str, desk: &Desk, approve: &Value) -> Guarded {
    let mut policy = gated("300ms", "DESK_KEY");
    let gate = &mut policy["rules"][0]["then"]["approve"];
    gate.as_object_mut()
        .unwrap()
        .extend(approve.as_object().unwrap().clone());
    Guarded::start_with(version, &policy, |builder| {
        builder
            .alone()
            .concurrency(4)
            .cluster_http2("desk", desk.port)
    })
}

fn said(answer: &Response) -> String {
    match answer.status {
        200 => "passed".to_owned(),
        _ => code(answer),
    }
}

/// What comes of `count` requests of a caller, each for another file and on a connection of its own.
fn several(guarded: &Guarded, subject: &str, count: usize, what: &str) -> Vec<String> {
    (0..count)
        .map(|one| said(&guarded.send(tune(subject, &format!("{what}-{one}")))))
        .collect()
}

fn approved(guarded: &Guarded, desk: &Desk, subject: &str, file: &str) {
    assert_eq!(said(&guarded.send(tune(subject, file))), "approval_pending");
    desk.decide(&desk.pending(subject), "approve", "for a while");
}

fn a_grant_lasts_until_it_is_taken_back(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk, &json!({"grant": {"for": "10m"}}));
    approved(&guarded, &desk, "ana", "file-1");
    // At once, and on every worker.
    assert_eq!(several(&guarded, "ana", 12, "granted"), vec!["passed"; 12]);
    assert_eq!(
        said(&guarded.send(tune("ben", "granted-1"))),
        "approval_pending",
        "a grant is its caller's"
    );
    let grants = desk.get("/v1/grants");
    let grant = grants["grants"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/approvals/{grant}/revoke");
    let answer = desk.send(Request::post(&path).json(&json!({"reason": "over"})));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let refused = || {
        several(&guarded, "ana", 8, "late")
            .iter()
            .all(|one| one == "approval_pending")
    };
    wait::until("every worker to know", SOON, refused).unwrap();
}

fn a_grant_has_as_many_uses_as_it_says(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk, &json!({"grant": {"for": "10m", "uses": 5}}));
    approved(&guarded, &desk, "ana", "file-1");
    let clients: Vec<_> = (0..20)
        .map(|_| Client::http1(guarded.mesh.port()).unwrap())
        .collect();
    let all: Vec<_> = clients
        .iter()
        .enumerate()
        .map(|(one, client)| client.start(tune("ana", &format!("many-{one}"))).unwrap())
        .collect();
    let passed = all
        .into_iter()
        .map(|one| said(&one.response().unwrap().read()))
        .filter(|one| one == "passed")
        .count();
    assert_eq!(passed, 5, "over four workers at once");
    assert_eq!(guarded.model.begun(), 5);
}

fn whoever_is_blocked_gets_nothing(version: &str) {
    let desk = Desk::start_with(|_| {
        let lea =
            json!({"name": "lea", "groups": ["ml-leads"], "key": REVIEWER_KEY, "blocks": true});
        json!({ "reviewers": [lea] })
    });
    let guarded = start(version, &desk, &json!({}));
    let models = |token: &str| guarded.send(Request::get("/v1/models").bearer(token));
    let all = |token: &str, expected: &str| (0..8).all(|_| said(&models(token)) == expected);
    let (mallory, ana) = (token("mallory"), token("ana"));
    assert!(all(&mallory, "passed"));
    let body = json!({"issuer": idp().issuer(), "subject": "mallory", "reason": "stolen"});
    let answer = desk.send(Request::post("/v1/blocks").json(&body));
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    let block = answer.json()["id"].as_str().unwrap().to_owned();
    wait::until("the block", SOON, || all(&mallory, "blocked")).unwrap();
    assert!(all(&ana, "passed"), "nobody else is blocked");
    let answer = desk.send(Request::new("DELETE", &format!("/v1/blocks/{block}")));
    assert!(matches!(answer.status, 200 | 204), "{}", answer.text());
    wait::until("the block to end", SOON, || all(&mallory, "passed")).unwrap();
}

fn what_fails_comes_back(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk, &json!({"give_back": "on_failure"}));
    let path = "/v1/fine_tuning/jobs";
    guarded.model.answer(path, Answer::new(500));
    approved(&guarded, &desk, "ana", "file-1");
    let answer = guarded.send(tune("ana", "file-1"));
    assert_eq!(answer.status, 500, "{}", answer.text());
    guarded
        .model
        .answer(path, Answer::json(&json!({"id": "job-1"})));
    // The approval is back as soon as the desk has heard of it.
    let passes = || said(&guarded.send(tune("ana", "file-1"))) == "passed";
    wait::until("the approval to come back", PATIENCE, passes).unwrap();
    assert_eq!(
        said(&guarded.send(tune("ana", "file-1"))),
        "approval_pending",
        "used"
    );
}

/// Whoever starts a job twice has two: nobody knows what a model server that failed has done.
fn what_may_have_changed_something_does_not_come_back(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk, &json!({}));
    guarded
        .model
        .answer("/v1/fine_tuning/jobs", Answer::new(500));
    approved(&guarded, &desk, "ana", "file-1");
    let answer = guarded.send(tune("ana", "file-1"));
    assert_eq!(answer.status, 500, "{}", answer.text());
    let used = desk.get("/v1/approvals?state=used");
    assert_eq!(
        used["approvals"].as_array().map(Vec::len),
        Some(1),
        "{used}"
    );
    let again = guarded.send(tune("ana", "file-1"));
    assert_eq!(said(&again), "approval_pending");
    let question = desk.pending("ana");
    assert_ne!(question["id"], used["approvals"][0]["id"]);
    assert_eq!(guarded.model.begun(), 1);
}
