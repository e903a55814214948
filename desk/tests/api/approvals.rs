//! Asking, deciding and claiming.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::{ANA, BOB, Desk, EDGE, Folder, INNER, id, question, with};

#[test]
fn an_approval_is_asked_for_shown_given_and_used_once() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = desk.ask(&question(1));
    let id = id(&asked);
    assert!(id.starts_with("apr_") && id.len() == 36, "{id}");
    assert_eq!(
        asked,
        json!({
            "id": id, "binding": question(1)["binding"], "state": "pending", "reviewer": null,
            "reason": null, "approvals": { "have": 0, "want": 1 }, "grant": null,
        })
    );
    assert_eq!(
        desk.ask(&question(1)),
        asked,
        "the same question finds the same approval"
    );

    let list = desk.get("/v1/approvals?state=pending", ANA).ok();
    let shown = &list["approvals"][0];
    for (name, value) in question(1).as_object().unwrap() {
        if !["asker", "version"].contains(&&**name) {
            assert_eq!(&shown[name], value, "{name}");
        }
    }
    assert_eq!(shown["id"], json!(id));
    assert_eq!(
        (&shown["filter"], &shown["waiting"]),
        (&json!("edge"), &json!(1))
    );
    assert_eq!(shown["decided"], Value::Null);

    let body = json!({ "reason": "for the audit" });
    let decided = desk
        .post(&format!("/v1/approvals/{id}/approve"), ANA, &body)
        .ok();
    assert_eq!(decided["state"], "approved");
    assert_eq!(decided["reviewer"], "ana");
    assert!(decided["decided"].as_str().unwrap().ends_with('Z'));
    // Looking, waiting and asking use nothing up.
    let target = format!("/v1/approvals/{id}");
    for _ in 0..2 {
        assert_eq!(desk.get(&target, ANA).ok()["state"], "approved");
        assert_eq!(desk.get(&target, EDGE).ok()["state"], "approved");
        let answer = desk.ask(&question(1));
        assert_eq!(
            (&answer["id"], &answer["state"], &answer["reason"]),
            (&json!(id), &json!("approved"), &json!("for the audit"))
        );
        assert_eq!(answer["grant"]["uses_left"], 1);
    }

    let claimed = desk.claim(&id, &question(1), 1).ok();
    assert_eq!(claimed["state"], "claimed");
    assert_eq!(claimed, desk.claim(&id, &question(1), 1).ok());
    assert_eq!(desk.claim(&id, &question(1), 2).ok()["state"], "used");
    let used = desk.get(&target, ANA).ok();
    assert_eq!(
        (&used["state"], &used["reviewer"], &used["reason"]),
        (&json!("used"), &json!("ana"), &json!("for the audit"))
    );
    for time in ["created", "decided", "used"] {
        assert!(used[time].as_str().unwrap().ends_with('Z'), "{time}");
    }
    assert_eq!(used["claims"][0]["exchange"], format!("{:032x}", 1));
    assert_eq!(used["decisions"][0]["decision"], "approve");
    let anew = desk.ask(&question(1));
    assert_eq!(anew["state"], "pending");
    assert_ne!(anew["id"], json!(id));
}

#[test]
fn a_use_that_was_not_answered_comes_back() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = id(&desk.ask(&question(1)));
    assert_eq!(desk.claim(&asked, &question(1), 1).ok()["state"], "pending");
    desk.decide(&asked, "approve", ANA).ok();
    desk.claim(&asked, &question(1), 1).ok();
    assert_eq!(desk.give_back(&asked, 1).ok()["state"], "approved");
    assert_eq!(desk.give_back(&asked, 1).ok()["state"], "approved");
    assert_eq!(
        desk.claim(&asked, &question(1), 1).refusal(),
        (409, "given_back".to_owned())
    );
    assert_eq!(desk.claim(&asked, &question(1), 2).ok()["state"], "claimed");
    assert_eq!(desk.give_back(&asked, 1).ok()["state"], "used");
    assert_eq!(
        desk.claim(&asked, &question(2), 3).refusal(),
        (409, "not_covered".to_owned())
    );
}

#[test]
fn a_use_that_comes_back_before_it_is_taken_is_not_taken() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = id(&desk.ask(&question(1)));
    desk.decide(&asked, "approve", ANA).ok();
    assert_eq!(desk.give_back(&asked, 3).ok()["state"], "approved");
    for number in [1, 2] {
        assert_eq!(
            desk.claim(&asked, &question(number), 3).refusal(),
            (409, "given_back".to_owned())
        );
    }
    assert_eq!(desk.claim(&asked, &question(1), 4).ok()["state"], "claimed");
}

#[test]
fn what_came_back_answers_the_same_question_again() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = id(&desk.ask(&question(1)));
    desk.decide(&asked, "approve", ANA).ok();
    desk.claim(&asked, &question(1), 1).ok();
    let meanwhile = desk.ask(&question(1));
    assert_eq!(meanwhile["state"], "pending");
    desk.give_back(&asked, 1).ok();
    let again = desk.ask(&question(1));
    assert_eq!(
        (id(&again), &again["state"]),
        (asked.clone(), &json!("approved"))
    );
    // One that was denied later isn't approved.
    desk.decide(&id(&meanwhile), "deny", ANA).ok();
    assert_eq!(desk.ask(&question(1))["state"], "denied");
}

#[test]
fn lists_leave_out_what_bodies_say() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let body =
        json!({ "digest": format!("{:064x}", 5), "bytes": 9, "text": "a secret", "cut": true });
    let asked = with(question(1), json!({ "body": body, "grant": { "for": 60 } }));
    let asked = id(&desk.ask(&asked));
    desk.decide(&asked, "approve", ANA).ok();
    for (target, list) in [("/v1/approvals", "approvals"), ("/v1/grants", "grants")] {
        let listed = desk.get(target, ANA).ok()[list][0].clone();
        assert_eq!(listed["id"], json!(asked));
        let left = json!({ "digest": format!("{:064x}", 5), "bytes": 9 });
        assert_eq!(listed["body"], left, "{target}");
    }
    let shown = desk.get(&format!("/v1/approvals/{asked}"), ANA).ok();
    assert_eq!(shown["body"], body);
}

#[test]
fn what_a_grant_is_for_is_not_too_long() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    for name in ["model", "operation", "rule", "issuer", "subject"] {
        let of = |bytes| with(question(1), json!({ name: "x".repeat(bytes) }));
        desk.ask(&of(4096));
        // An empty name of a model is none.
        let shortest = if name == "model" { 4097 } else { 0 };
        for bytes in [shortest, 4097] {
            let refusal = desk.post("/v1/approvals", EDGE, &of(bytes));
            assert!(refusal.body.contains(name), "{}", refusal.body);
            assert_eq!(refusal.refusal(), (400, "malformed".to_owned()), "{name}");
        }
    }
    desk.ask(&with(question(2), json!({ "model": null })));
}

#[test]
fn a_denial_answers_the_same_question_again() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    let body = json!({ "reason": "not this one" });
    desk.post(&format!("/v1/approvals/{id}/deny"), ANA, &body)
        .ok();
    let denied = desk.ask(&question(1));
    assert_eq!(
        (&denied["id"], &denied["state"], &denied["reason"]),
        (&json!(id), &json!("denied"), &json!("not this one"))
    );
    assert_eq!(desk.ask(&question(1)), denied);
    let target = format!("/v1/approvals/{id}?wait=60");
    assert_eq!(desk.get(&target, EDGE).ok(), denied);
    assert_eq!(desk.claim(&id, &question(1), 1).ok()["state"], "denied");
}

#[test]
fn an_approval_is_for_one_request_caller_and_filter() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let first = id(&desk.ask(&question(1)));
    desk.decide(&first, "approve", ANA).ok();
    let mut ids = HashSet::from([first.clone()]);
    for change in [
        json!({ "binding": format!("{:064x}", 2) }),
        json!({ "subject": "dave" }),
        json!({ "issuer": "https://other.example" }),
    ] {
        let other = desk.ask(&with(question(1), change.clone()));
        assert_eq!(other["state"], "pending", "{change}");
        assert!(ids.insert(id(&other)), "{change}");
    }
    let inner = desk.post("/v1/approvals", INNER, &question(1)).ok();
    assert_eq!(inner["state"], "pending");
    let target = format!("/v1/approvals/{first}");
    assert_eq!(
        desk.get(&target, INNER).refusal(),
        (404, "not_found".to_owned())
    );
    let claim = json!({
        "claim": format!("{:032x}", 9), "binding": question(1)["binding"],
        "exchange": format!("{:032x}", 9),
    });
    let foreign = desk.post(&format!("{target}/claim"), INNER, &claim);
    assert_eq!(foreign.refusal(), (404, "not_found".to_owned()));
    assert_eq!(desk.claim(&first, &question(1), 1).ok()["state"], "claimed");
}

#[test]
fn of_many_who_claim_at_once_one_goes() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    desk.decide(&id, "approve", ANA).ok();
    let states: Vec<Value> = std::thread::scope(|scope| {
        let (desk, id) = (&desk, &id);
        let claims: Vec<_> = (0..16)
            .map(|number| scope.spawn(move || desk.claim(id, &question(1), number).ok()))
            .collect();
        let claims = claims.into_iter();
        claims
            .map(|one| one.join().unwrap()["state"].clone())
            .collect()
    });
    let claimed = states.iter().filter(|state| **state == "claimed").count();
    assert_eq!(claimed, 1, "{states:?}");
    assert_eq!(states.iter().filter(|state| **state == "used").count(), 15);
}

#[test]
fn of_many_who_ask_at_once_all_share_one_approval() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ids: HashSet<String> = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| id(&desk.ask(&question(1)))))
            .collect();
        askers.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[test]
fn of_many_who_decide_at_once_one_decides() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let deciders: Vec<_> = (0..8)
            .map(|number| {
                let how = if number % 2 == 0 { "approve" } else { "deny" };
                let (desk, id) = (&desk, &id);
                scope.spawn(move || desk.decide(id, how, ANA).status)
            })
            .collect();
        deciders
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7);
}

#[test]
fn only_the_right_people_decide() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = id(&desk.ask(&question(1)));
    let refusal = |id: &str, how: &str, key: &str| desk.decide(id, how, key).refusal();
    for (how, number) in [("approve", 2), ("deny", 4)] {
        assert_eq!(
            refusal(&asked, how, BOB),
            (403, "not_your_group".to_owned())
        );
        assert_eq!(refusal(&asked, how, EDGE), (403, "wrong_key".to_owned()));
        let own = with(question(number), json!({ "subject": "Ana" }));
        let own = id(&desk.ask(&own));
        assert_eq!(refusal(&own, how, ANA), (403, "own_request".to_owned()));
        assert_eq!(refusal("apr_none", how, ANA), (404, "not_found".to_owned()));
    }
    assert_eq!(desk.ask(&question(1))["state"], "pending");
    // Any one group of several will do, on either side.
    let either = with(question(3), json!({ "reviewers": ["ml-leads", "finance"] }));
    let either = id(&desk.ask(&either));
    assert_eq!(desk.decide(&either, "deny", BOB).ok()["reviewer"], "bob");
    for (how, key) in [("approve", ANA), ("deny", BOB)] {
        assert_eq!(
            refusal(&either, how, key),
            (409, "already_decided".to_owned())
        );
    }
}

#[test]
fn approvals_are_listed_by_state_newest_first_and_in_pages() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ids: Vec<String> = (0..5)
        .map(|number| id(&desk.ask(&question(number))))
        .collect();
    desk.decide(&ids[1], "approve", ANA).ok();
    desk.decide(&ids[2], "deny", ANA).ok();
    let listed = |target: &str| -> (Vec<String>, Value) {
        let list = desk.get(target, BOB).ok();
        let ids = list["approvals"]
            .as_array()
            .unwrap()
            .iter()
            .map(id)
            .collect();
        (ids, list["next"].clone())
    };
    let newest = |wanted: &[usize]| {
        wanted
            .iter()
            .map(|index| ids[*index].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed("/v1/approvals"),
        (newest(&[4, 3, 2, 1, 0]), Value::Null)
    );
    assert_eq!(listed("/v1/approvals?state=pending").0, newest(&[4, 3, 0]));
    assert_eq!(listed("/v1/approvals?state=approved").0, newest(&[1]));
    assert_eq!(listed("/v1/approvals?state=denied").0, newest(&[2]));
    let (first, next) = listed("/v1/approvals?limit=2");
    assert_eq!((first, &next), (newest(&[4, 3]), &json!(ids[3])));
    let target = format!("/v1/approvals?limit=3&before={}", next.as_str().unwrap());
    assert_eq!(listed(&target), (newest(&[2, 1, 0]), Value::Null));
    assert_eq!(listed("/v1/approvals?limit=0").0.len(), 1);
}

#[test]
fn everything_outlives_a_crash() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ids: Vec<String> = (0..4)
        .map(|number| id(&desk.ask(&question(number))))
        .collect();
    desk.decide(&ids[0], "approve", ANA).ok();
    desk.claim(&ids[0], &question(0), 1).ok();
    desk.decide(&ids[1], "deny", ANA).ok();
    desk.decide(&ids[3], "approve", ANA).ok();
    let before = desk.get("/v1/approvals?state=used", ANA).ok();
    desk.kill();
    let desk = Desk::start(&folder);
    assert_eq!(desk.get("/v1/approvals?state=used", ANA).ok(), before);
    assert_eq!(
        desk.claim(&ids[0], &question(0), 1).ok()["state"],
        "claimed"
    );
    assert_eq!(desk.claim(&ids[0], &question(0), 2).ok()["state"], "used");
    assert_eq!(desk.ask(&question(1))["state"], "denied");
    let waits = desk.ask(&question(2));
    assert_eq!(
        (id(&waits), &waits["state"]),
        (ids[2].clone(), &json!("pending"))
    );
    assert_eq!(
        desk.claim(&ids[3], &question(3), 3).ok()["state"],
        "claimed"
    );
}

#[test]
fn a_later_filter_may_say_more_than_the_desk_knows() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let more = json!({
        "client_address": "192.0.2.1",
        "prompt": { "parts": [1, -2.5, null, true, "é"], "left_out": 0 },
        "tokens": u64::MAX,
    });
    let asked = desk.ask(&with(question(1), more.clone()));
    assert_eq!(asked["state"], "pending");
    assert_eq!(desk.ask(&question(1)), asked, "it asks for the same thing");
    let id = id(&asked);
    let shown = |desk: &Desk| {
        let one = desk.get(&format!("/v1/approvals/{id}"), ANA).ok();
        for (name, value) in more.as_object().unwrap() {
            assert_eq!(&one[name], value, "{name}");
        }
    };
    shown(&desk);
    desk.kill();
    let desk = Desk::start(&folder);
    shown(&desk);
    desk.decide(&id, "approve", ANA).ok();
    shown(&desk);
    let target = format!("/v1/approvals/{id}?wait=0&as_of=now");
    assert_eq!(desk.get(&target, EDGE).ok()["state"], "approved");
}

#[test]
fn a_question_cannot_speak_for_the_desk() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = question(1);
    let id = id(&desk.ask(&asked));
    let shown = desk.get(&format!("/v1/approvals/{id}"), ANA).ok();
    // These are the filter's, too, and of another form there.
    let both = ["approvals", "reason", "expires", "grant"];
    let members = shown.as_object().unwrap().keys();
    let own: Vec<&String> = members
        .filter(|name| asked.get(name).is_none() && !both.contains(&&***name))
        .collect();
    assert!(own.len() >= 12, "{own:?}");
    for name in own {
        let forged = with(question(2), json!({ name: "approved" }));
        let refusal = desk.post("/v1/approvals", EDGE, &forged);
        assert!(refusal.body.contains(&format!("\\\"{name}\\\"")), "{name}");
        assert_eq!(refusal.refusal(), (400, "malformed".to_owned()), "{name}");
    }
}
