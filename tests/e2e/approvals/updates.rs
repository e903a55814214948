//! Another policy is pushed while requests wait for a person.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::Gate;
use testbed::http::{Client, Pending};
use testbed::model::Answer;
use testbed::wait;

use super::{gated, tune};
use crate::support::{Desk, Guarded, code, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    what_is_held_is_decided_under_the_policy_it_came_to,
    what_is_held_when_an_old_policy_ends_may_come_back,
    an_approval_whose_request_was_cut_off_comes_back,
);

const PATIENCE: Duration = Duration::from_secs(30);

fn start(version: &str, desk: &Desk, drain_seconds: u32) -> Guarded {
    let policy = gated("5m", "DESK_KEY");
    Guarded::start_with(version, &policy, |builder| {
        builder
            .updatable(drain_seconds)
            .concurrency(4)
            .cluster_http2("desk", desk.port)
    })
}

fn hold(guarded: &Guarded, two: bool, subject: &str) -> Pending {
    let port = guarded.mesh.port();
    let client = if two {
        Client::http2(port).unwrap()
    } else {
        Client::http1(port).unwrap()
    };
    client.start(tune(subject, "file-1")).unwrap()
}

/// The same gates with an edit somewhere else.
fn edited() -> Value {
    let mut policy = gated("5m", "DESK_KEY");
    let rules = policy["rules"].as_array_mut().unwrap();
    rules.push(json!({"name": "more", "when": {"group": ["others"]}, "then": "allow"}));
    policy
}

fn what_is_held_is_decided_under_the_policy_it_came_to(version: &str) {
    let desk = Desk::start();
    let mut guarded = start(version, &desk, 600);
    let mut held = Vec::new();
    for (subject, two, decision) in [
        ("ann", false, "approve"),
        ("bea", true, "approve"),
        ("cho", false, "deny"),
        ("dan", true, "deny"),
    ] {
        held.push((subject, decision, hold(&guarded, two, subject)));
        desk.pending(subject);
    }
    let twice = hold(&guarded, false, "eve");
    let question = desk.pending("eve");
    guarded.mesh.update(edited()).unwrap();
    assert!(held.iter().all(|(_, _, held)| !held.answered()));
    assert_eq!(guarded.model.begun(), 0, "nothing passes by the way");
    for (subject, decision, held) in held {
        desk.decide(&desk.pending(subject), decision, "");
        let answer = held.response().unwrap().read();
        let expected = if decision == "approve" { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{subject}: {}", answer.text());
    }
    assert_eq!(guarded.model.begun(), 2);

    // The same request under the new policy is the same question, and one approval lets one of both pass.
    let again = hold(&guarded, false, "eve");
    let both = || desk.pending("eve")["waiting"] == 2;
    wait::until("both of eve's requests to wait", PATIENCE, both).unwrap();
    desk.decide(&question, "approve", "");
    let passed = || twice.answered() != again.answered();
    wait::until("one of them to pass", PATIENCE, passed).unwrap();
    let other = desk.pending("eve");
    assert_ne!(other["id"], question["id"]);
    desk.decide(&other, "deny", "");
    let mut statuses = [twice, again].map(|held| held.response().unwrap().status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
    assert_eq!(guarded.model.begun(), 3);
}

fn what_is_held_when_an_old_policy_ends_may_come_back(version: &str) {
    let desk = Desk::start();
    let mut guarded = start(version, &desk, 1);
    for (subject, two) in [("ann", false), ("bea", true)] {
        let held = hold(&guarded, two, subject);
        let question = desk.pending(subject);
        let mut other = edited();
        other["limits"] = json!({"waiting": {"total": if two { 900 } else { 800 }}});
        guarded.mesh.update(other).unwrap();
        // Envoy closes the connection once the old policy's time is over: no answer, and no hang.
        assert!(held.response().is_err(), "{subject}");
        assert_eq!(guarded.model.begun(), usize::from(two));
        let path = format!("/v1/approvals/{}", question["id"].as_str().unwrap());
        let left = || desk.get(&path)["waiting"] == 0;
        wait::until("the desk to hear of it", PATIENCE, left).unwrap();
        desk.decide(&question, "approve", "");
        let answer = hold(&guarded, two, subject).response().unwrap().read();
        assert_eq!(answer.status, 200, "{subject}: {}", answer.text());
    }
    assert_eq!(guarded.model.begun(), 2);

    // An edit of the rule itself is another question, whatever was approved before.
    let question = {
        let held = hold(&guarded, false, "cho");
        let question = desk.pending("cho");
        drop(held);
        question
    };
    desk.decide(&question, "approve", "");
    let mut stricter = gated("300ms", "DESK_KEY");
    stricter["rules"][0]["then"]["approve"]["approvals"] = json!(2);
    guarded.mesh.update(stricter).unwrap();
    let answer = guarded.send(tune("cho", "file-1"));
    assert_eq!(code(&answer), "approval_pending", "{}", answer.text());
    assert_ne!(desk.pending("cho")["id"], question["id"]);

    // Where the gate is gone nobody is asked; where all is refused an approval is no right.
    let nothing = policy(
        &json!({"rules": [{"name": "none", "when": {"operation": ["*", "unknown"]}, "then": "deny"}]}),
    );
    guarded.mesh.update(nothing).unwrap();
    let answer = guarded.send(tune("cho", "file-1"));
    assert_eq!(code(&answer), "denied", "{}", answer.text());
    assert_eq!(guarded.model.begun(), 2);
}

/// What was claimed for a request that Envoy ends with the old policy was claimed for nothing.
fn an_approval_whose_request_was_cut_off_comes_back(version: &str) {
    let desk = Desk::start();
    let with = |edit: fn() -> Value| {
        let mut policy = edit();
        policy["rules"][0]["then"]["approve"]["give_back"] = json!("on_failure");
        policy
    };
    let mut guarded = Guarded::start_with(version, &with(|| gated("5m", "DESK_KEY")), |builder| {
        builder.updatable(1).cluster_http2("desk", desk.port)
    });
    let path = "/v1/fine_tuning/jobs";
    let never = Gate::new();
    guarded.model.answer(path, Answer::new(200).gated(&never));
    let cut = hold(&guarded, true, "ann");
    let question = desk.pending("ann");
    desk.decide(&question, "approve", "");
    let reached = || guarded.model.begun() == 1;
    wait::until("the model server to be asked", PATIENCE, reached).unwrap();
    guarded.mesh.update(with(edited)).unwrap();
    assert!(cut.response().is_err());
    let path_of_it = format!("/v1/approvals/{}", question["id"].as_str().unwrap());
    let back = || desk.get(&path_of_it)["state"] == "approved";
    wait::until("the approval to come back", PATIENCE, back).unwrap();
    guarded.model.answer_as_usual(path);
    let answer = hold(&guarded, true, "ann").response().unwrap().read();
    assert_eq!(answer.status, 200, "{}", answer.text());
}
