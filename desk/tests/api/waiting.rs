use serde_json::json;

use crate::client::call;
use crate::harness::{ANA, Desk, EDGE, Folder, id, question, with};

fn patient(number: u64) -> serde_json::Value {
    with(question(number), json!({ "wait": 60 }))
}

#[test]
fn a_decision_wakes_the_one_who_asked() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    for (number, how, state) in [(1, "approve", "approved"), (2, "deny", "denied")] {
        std::thread::scope(|scope| {
            let asker = scope.spawn(|| desk.ask(&patient(number)));
            let seen = desk.until("/v1/approvals?state=pending", |list| {
                list["approvals"].as_array().unwrap().len() == 1
            });
            let id = id(&seen["approvals"][0]);
            desk.decide(&id, how, ANA).ok();
            let answer = asker.join().unwrap();
            assert_eq!(
                (&answer["id"], &answer["state"]),
                (&json!(id), &json!(state))
            );
            assert_eq!(answer["reviewer"], "ana");
        });
    }
}

#[test]
fn of_many_who_wait_for_one_approval_one_gets_it() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    let target = format!("/v1/approvals/{id}?wait=60");
    let mut states: Vec<String> = std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    desk.get(&target, EDGE).ok()["state"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
            })
            .collect();
        desk.decide(&id, "approve", ANA).ok();
        waiters.into_iter().map(|one| one.join().unwrap()).collect()
    });
    states.sort();
    assert_eq!(states[0], "approved");
    assert!(
        states[1..].iter().all(|state| state == "used"),
        "{states:?}"
    );
}

#[test]
fn a_decision_on_another_approval_wakes_nobody() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let other = id(&desk.ask(&question(2)));
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| desk.ask(&patient(1)));
        let seen = desk.until("/v1/approvals?state=pending", |list| {
            list["approvals"].as_array().unwrap().len() == 2
        });
        desk.decide(&other, "deny", ANA).ok();
        let id = id(&seen["approvals"][0]);
        desk.decide(&id, "approve", ANA).ok();
        assert_eq!(asker.join().unwrap()["state"], "approved");
    });
}

#[test]
fn a_wait_that_brings_nothing_ends_as_pending() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = desk.ask(&with(question(1), json!({ "wait": 1 })));
    assert_eq!(asked["state"], "pending");
    let target = format!("/v1/approvals/{}?wait=1", id(&asked));
    assert_eq!(desk.get(&target, EDGE).ok(), asked);
}

#[test]
fn stopping_answers_those_who_wait() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    std::thread::scope(|scope| {
        let http = desk.http;
        let asker = scope.spawn(move || {
            call(
                http,
                "POST",
                "/v1/approvals",
                Some(EDGE),
                Some(&patient(1).to_string()),
            )
        });
        desk.until("/v1/approvals", |list| {
            list["approvals"].as_array().unwrap().len() == 1
        });
        let (status, _) = desk.stop();
        assert!(status.success());
        assert_eq!(asker.join().unwrap().ok()["state"], "pending");
    });
}
