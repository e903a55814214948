//! Waiting for people takes nothing, and ends with their decision.

use serde_json::{Value, json};

use crate::harness::{ANA, Desk, EDGE, Folder, id, question, with};

/// Waits until this many calls wait for decisions.
pub fn until_waiting(desk: &Desk, count: usize) {
    let waits = format!("\nportcullis_desk_waits_open {count}\n");
    while !desk.get("/metrics", ANA).body.contains(&waits) {
        std::thread::yield_now();
    }
}

fn wait(desk: &Desk, id: &str) -> Value {
    desk.get(&format!("/v1/approvals/{id}?wait=60"), EDGE).ok()
}

#[test]
fn a_decision_wakes_all_who_wait_and_each_is_told() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    for (number, how, state) in [(1, "approve", "approved"), (2, "deny", "denied")] {
        let asked = id(&desk.ask(&question(number)));
        std::thread::scope(|scope| {
            let waiters: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| wait(&desk, &asked)))
                .collect();
            until_waiting(&desk, 8);
            desk.decide(&asked, how, ANA).ok();
            for waiter in waiters {
                let answer = waiter.join().unwrap();
                assert_eq!(
                    (&answer["id"], &answer["state"]),
                    (&json!(asked), &json!(state))
                );
                assert_eq!(answer["reviewer"], "ana");
            }
        });
    }
}

#[test]
fn a_revocation_and_a_decision_on_another_one_wake_nobody_else() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let (one, other) = (id(&desk.ask(&question(1))), id(&desk.ask(&question(2))));
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| wait(&desk, &one));
        until_waiting(&desk, 1);
        desk.decide(&other, "approve", ANA).ok();
        desk.decide(&other, "revoke", ANA).ok();
        desk.decide(&one, "approve", ANA).ok();
        assert_eq!(waiter.join().unwrap()["state"], "approved");
    });
}

#[test]
fn a_wait_that_brings_nothing_ends_as_pending() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = desk.ask(&question(1));
    let target = format!("/v1/approvals/{}?wait=1", id(&asked));
    assert_eq!(desk.get(&target, EDGE).ok(), asked);
}

#[test]
fn time_wakes_those_who_wait() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = id(&desk.ask(&with(question(1), json!({ "expires": 1 }))));
    assert_eq!(wait(&desk, &asked)["state"], "expired");
}

#[test]
fn stopping_answers_those_who_wait() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = id(&desk.ask(&question(1)));
    let http = desk.http;
    let target = format!("/v1/approvals/{asked}?wait=60");
    let waiter =
        std::thread::spawn(move || crate::client::call(http, "GET", &target, Some(EDGE), None));
    until_waiting(&desk, 1);
    let (status, _) = desk.stop();
    assert!(status.success());
    assert_eq!(waiter.join().unwrap().ok()["state"], "pending");
}

#[test]
fn who_left_eats_no_approval_and_finds_it_again() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = id(&desk.ask(&question(1)));
    // Clients that went away in the middle of a wait.
    for _ in 0..3 {
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(desk.http).unwrap();
        let head = format!(
            "GET /v1/approvals/{asked}?wait=60 HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer {EDGE}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
    }
    let gone = json!({ "asker": question(1)["asker"] });
    let cancel = format!("/v1/approvals/{asked}/cancel");
    assert_eq!(desk.post(&cancel, EDGE, &gone).ok()["state"], "pending");
    let shown = |desk: &Desk| desk.get("/v1/approvals", ANA).ok()["approvals"][0].clone();
    assert_eq!(shown(&desk)["waiting"], 0);
    assert_eq!(id(&desk.ask(&question(1))), asked);
    assert_eq!(shown(&desk)["waiting"], 1);
    desk.decide(&asked, "approve", ANA).ok();
    assert_eq!(wait(&desk, &asked)["state"], "approved");
    assert_eq!(desk.ask(&question(1))["state"], "approved");
    let claimed = desk.claim(&asked, &question(1), 1).ok();
    assert_eq!(claimed["state"], "claimed");
}

#[test]
fn questions_whose_clients_left_make_room() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let gone = json!({ "asker": question(1)["asker"] });
    let first = id(&desk.ask(&question(0)));
    let leave = |id: &str| {
        desk.post(&format!("/v1/approvals/{id}/cancel"), EDGE, &gone)
            .ok()
    };
    leave(&first);
    for number in 1..=101 {
        let asked = id(&desk.ask(&question(number)));
        leave(&asked);
    }
    // The oldest has given way to the others.
    let state = desk.get(&format!("/v1/approvals/{first}"), EDGE).ok();
    assert_eq!(state["state"], "expired");
}
