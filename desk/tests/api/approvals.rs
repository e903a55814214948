use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::{ANA, BOB, Desk, EDGE, Folder, id, question, with};

#[test]
fn an_approval_is_asked_for_shown_given_and_used_once() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = desk.ask(&question(1));
    assert_eq!(asked["state"], "pending");
    assert_eq!(
        (&asked["reason"], &asked["reviewer"]),
        (&Value::Null, &Value::Null)
    );
    let id = id(&asked);
    assert!(id.starts_with("apr_") && id.len() == 36, "{id}");
    assert_eq!(
        desk.ask(&question(1)),
        asked,
        "the same question finds the same approval"
    );

    let list = desk.get("/v1/approvals?state=pending", ANA).ok();
    let shown = &list["approvals"][0];
    for (name, value) in question(1).as_object().unwrap() {
        if name != "wait" {
            assert_eq!(&shown[name], value, "{name}");
        }
    }
    assert_eq!(shown["id"], json!(id));
    assert_eq!(shown["filter"], "edge");
    assert_eq!(shown["decided"], Value::Null);

    let body = json!({ "reason": "for the audit" });
    let decided = desk
        .post(&format!("/v1/approvals/{id}/approve"), ANA, &body)
        .ok();
    assert_eq!(decided["state"], "approved");
    assert_eq!(decided["reviewer"], "ana");
    assert!(decided["decided"].as_str().unwrap().ends_with('Z'));
    // A reviewer may look without using it up.
    assert_eq!(
        desk.get(&format!("/v1/approvals/{id}"), ANA).ok()["state"],
        "approved"
    );

    let used = desk.ask(&question(1));
    assert_eq!(
        used,
        json!({ "id": id, "state": "approved", "reason": "for the audit", "reviewer": "ana" })
    );
    assert_eq!(
        desk.get(&format!("/v1/approvals/{id}"), EDGE).ok()["state"],
        "used"
    );
    let anew = desk.ask(&question(1));
    assert_eq!(anew["state"], "pending");
    assert_ne!(anew["id"], used["id"]);
}

#[test]
fn getting_an_approved_one_by_id_uses_it() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    desk.decide(&id, "approve", ANA).ok();
    let target = format!("/v1/approvals/{id}");
    assert_eq!(desk.get(&target, EDGE).ok()["state"], "approved");
    assert_eq!(desk.get(&target, EDGE).ok()["state"], "used");
}

#[test]
fn a_denial_answers_the_same_question_again() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    let body = json!({ "reason": "not this one" });
    desk.post(&format!("/v1/approvals/{id}/deny"), ANA, &body)
        .ok();
    let denied =
        json!({ "id": id, "state": "denied", "reason": "not this one", "reviewer": "ana" });
    assert_eq!(desk.ask(&question(1)), denied);
    assert_eq!(desk.ask(&question(1)), denied);
    assert_eq!(
        desk.get(&format!("/v1/approvals/{id}?wait=60"), EDGE).ok(),
        denied
    );
}

#[test]
fn an_approval_is_for_one_request_caller_rule_and_policy() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let first = id(&desk.ask(&question(1)));
    desk.decide(&first, "approve", ANA).ok();
    let mut ids = HashSet::from([first]);
    for change in [
        json!({ "digest": format!("{:064x}", 2) }),
        json!({ "subject": "dave" }),
        json!({ "issuer": "https://other.example" }),
        json!({ "rule": "another" }),
        json!({ "policy": format!("{:064x}", 8) }),
    ] {
        let other = desk.ask(&with(question(1), change.clone()));
        assert_eq!(other["state"], "pending", "{change}");
        assert!(ids.insert(id(&other)), "{change}");
    }
    assert_eq!(desk.ask(&question(1))["state"], "approved");
}

#[test]
fn of_many_who_ask_at_once_one_gets_the_approval() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    desk.decide(&id, "approve", ANA).ok();
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| desk.ask(&question(1))))
            .collect();
        askers
            .into_iter()
            .map(|asker| asker.join().unwrap())
            .collect()
    });
    let (approved, others): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer["state"] == "approved");
    assert_eq!(approved.len(), 1, "{answers:?}");
    assert_eq!(approved[0]["id"], json!(id));
    assert!(
        others.iter().all(|answer| answer["state"] == "pending"),
        "{answers:?}"
    );
    let new: HashSet<_> = others
        .iter()
        .map(|answer| answer["id"].to_string())
        .collect();
    assert_eq!(new.len(), 1, "they share one new approval: {answers:?}");
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
    for how in ["approve", "deny"] {
        assert_eq!(
            refusal(&asked, how, BOB),
            (403, "not_your_group".to_owned())
        );
        assert_eq!(refusal(&asked, how, EDGE), (403, "wrong_key".to_owned()));
        let own = id(&desk.ask(&with(question(2), json!({ "subject": "ana" }))));
        assert_eq!(refusal(&own, how, ANA), (403, "own_request".to_owned()));
        assert_eq!(refusal("apr_none", how, ANA), (404, "not_found".to_owned()));
    }
    assert_eq!(desk.ask(&question(1))["state"], "pending");
    // Any one group of several will do, on either side.
    let either = with(question(3), json!({ "reviewers": ["ml-leads", "finance"] }));
    let either = id(&desk.ask(&either));
    assert_eq!(desk.decide(&either, "deny", BOB).ok()["reviewer"], "bob");
    assert_eq!(
        refusal(&either, "approve", ANA),
        (409, "decided".to_owned())
    );
    assert_eq!(refusal(&either, "deny", BOB), (409, "decided".to_owned()));
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
fn everything_outlives_a_restart() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ids: Vec<String> = (0..3)
        .map(|number| id(&desk.ask(&question(number))))
        .collect();
    desk.decide(&ids[0], "approve", ANA).ok();
    desk.decide(&ids[1], "deny", ANA).ok();
    let before = desk.get("/v1/approvals", ANA).ok();
    let (status, _) = desk.stop();
    assert!(status.success());
    let desk = Desk::start(&folder);
    assert_eq!(desk.get("/v1/approvals", ANA).ok(), before);
    assert_eq!(desk.ask(&question(0))["state"], "approved");
    assert_eq!(desk.ask(&question(1))["state"], "denied");
    assert_eq!(
        desk.ask(&question(2)),
        json!({ "id": ids[2], "state": "pending", "reason": null, "reviewer": null })
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
        assert_eq!(desk.get("/v1/approvals", ANA).ok()["approvals"][0], one);
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
    let members = shown.as_object().unwrap().keys();
    let own: Vec<&String> = members.filter(|name| asked.get(name).is_none()).collect();
    assert!(own.len() >= 9, "{own:?}");
    for name in own {
        let forged = with(question(2), json!({ name: "approved" }));
        let refusal = desk.post("/v1/approvals", EDGE, &forged);
        assert!(refusal.body.contains(&format!("\\\"{name}\\\"")), "{name}");
        assert_eq!(refusal.refusal(), (400, "malformed".to_owned()), "{name}");
    }
}
