//! Grants, blocks, delegations, and what filters go by without asking.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::events::{events, of};
use crate::harness::{ANA, BOB, Desk, EDGE, Folder, INNER, id, question, with};

/// A desk whose reviewers have all that reviewers may have.
fn desk(folder: &Folder) -> Desk {
    let config = folder.config_but(json!({ "reviewers": [
        {
            "name": "ana", "groups": ["ml-leads"], "key": ANA, "blocks": true,
            "subjects": [{ "issuer": "https://idp.example", "subject": "ana@example.com" }],
        },
        {
            "name": "bob", "groups": ["legal"], "key": BOB, "break_glass": true,
            "email": "bob@example.com",
        },
    ] }));
    Desk::start_with(&config, &folder.store())
}

fn standing(desk: &Desk, key: &str, query: &str) -> Value {
    desk.get(&format!("/v1/standing?{query}"), key).ok()
}

#[test]
fn a_grant_of_some_uses_lets_so_many_of_its_kind_go() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let grant = json!({ "grant": { "for": 600, "uses": 2 } });
    let like = |number| with(question(number), grant.clone());
    let first = id(&desk.ask(&like(1)));
    desk.decide(&first, "approve", ANA).ok();
    assert_eq!(standing(&desk, EDGE, "")["grants"], json!([]));
    // Others of its kind are answered by it, each for what was asked.
    for number in [2, 3] {
        let answer = desk.ask(&like(number));
        assert_eq!(
            (id(&answer), &answer["state"]),
            (first.clone(), &json!("approved"))
        );
        assert_eq!(answer["binding"], like(number)["binding"]);
    }
    let not_asked = desk.claim(&first, &like(4), 9).refusal();
    assert_eq!(not_asked, (409, "not_covered".to_owned()));
    let one = desk.claim(&first, &like(2), 1).ok();
    assert_eq!(
        (&one["state"], &one["grant"]["uses_left"]),
        (&json!("claimed"), &json!(1))
    );
    assert_eq!(
        desk.get("/v1/grants", BOB).ok()["grants"][0]["id"],
        json!(first)
    );
    assert_eq!(desk.claim(&first, &like(3), 2).ok()["state"], "claimed");
    assert_eq!(desk.claim(&first, &like(1), 3).ok()["state"], "used");
    assert_ne!(id(&desk.ask(&like(5))), first);
}

#[test]
fn what_stands_is_listed_until_it_is_taken_back() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let empty = standing(&desk, EDGE, "");
    assert_eq!(
        (&empty["grants"], &empty["blocks"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(empty["lease_ms"], 2000);
    let revision = |seen: &Value| seen["revision"].as_str().unwrap().to_owned();
    let unchanged = standing(&desk, EDGE, &format!("since={}&wait=0", revision(&empty)));
    assert_eq!(
        unchanged,
        json!({ "revision": empty["revision"], "unchanged": true })
    );

    let window = with(question(1), json!({ "grant": { "for": 600 } }));
    let grant = id(&desk.ask(&window));
    let since = format!("since={}&wait=60", revision(&empty));
    let seen = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| standing(&desk, EDGE, &since));
        desk.decide(&grant, "approve", ANA).ok();
        waiter.join().unwrap()
    });
    let listed = &seen["grants"][0];
    assert!(listed["left_ms"].as_u64().unwrap() <= 600_000);
    let listed = with(listed.clone(), json!({ "left_ms": 0 }));
    assert_eq!(
        listed,
        json!({
            "id": grant, "issuer": "https://idp.example", "subject": "carol", "group": null,
            "rule": "export-needs-a-person", "rule_digest": question(1)["rule_digest"],
            "operation": "model.export", "model": "big", "left_ms": 0,
        })
    );
    // It is for the filter that asked.
    assert_eq!(standing(&desk, INNER, "")["grants"], json!([]));
    let since = format!("since={}&wait=60", revision(&seen));
    let gone = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| standing(&desk, EDGE, &since));
        let begun = Instant::now();
        desk.decide(&grant, "revoke", ANA).ok();
        let gone = waiter.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(2));
        gone
    });
    assert_eq!(gone["grants"], json!([]));
    assert_eq!(desk.ask(&window)["state"], "pending");
}

#[test]
fn a_grant_that_runs_out_is_no_longer_listed() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let window = with(question(1), json!({ "grant": { "for": 1 } }));
    let grant = id(&desk.ask(&window));
    desk.decide(&grant, "approve", ANA).ok();
    let seen = standing(&desk, EDGE, "");
    let since = format!("since={}&wait=60", seen["revision"].as_str().unwrap());
    assert_eq!(standing(&desk, EDGE, &since)["grants"], json!([]));
    let state = desk.get(&format!("/v1/approvals/{grant}"), EDGE).ok();
    assert_eq!(state["state"], "expired");
}

#[test]
fn who_may_blocks_and_unblocks() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let block = json!({ "issuer": null, "subject": "mallory", "for": 60, "reason": "leaked" });
    let refused = desk.post("/v1/blocks", BOB, &block).refusal();
    assert_eq!(refused, (403, "may_not_block".to_owned()));
    for wrong in [
        json!({ "reason": "x" }),
        json!({ "subject": "a", "token_id": "b", "reason": "x" }),
        json!({ "subject": "a", "reason": "" }),
        json!({ "subject": "a", "reason": "x", "for": 0 }),
        json!({ "subject": "a" }),
    ] {
        let refused = desk.post("/v1/blocks", ANA, &wrong).refusal();
        assert_eq!(refused, (400, "malformed".to_owned()), "{wrong}");
    }
    let made = desk.post("/v1/blocks", ANA, &block).ok();
    let token = json!({ "token_id": "t1", "reason": "stolen" });
    desk.post("/v1/blocks", ANA, &token).ok();
    for key in [EDGE, INNER] {
        let seen = standing(&desk, key, "");
        let blocks = seen["blocks"].as_array().unwrap();
        assert_eq!(
            (&blocks[0]["token_id"], &blocks[0]["left_ms"]),
            (&json!("t1"), &Value::Null)
        );
        assert_eq!(blocks[1]["subject"], "mallory");
        assert!(blocks[1]["left_ms"].as_u64().unwrap() <= 60_000);
    }
    let target = format!("/v1/blocks/{}", made["id"].as_str().unwrap());
    let delete = |key| crate::client::call(desk.http, "DELETE", &target, Some(key), None);
    assert_eq!(delete(BOB).refusal(), (403, "may_not_block".to_owned()));
    assert_eq!(delete(ANA).ok()["subject"], "mallory");
    assert_eq!(delete(ANA).refusal(), (404, "not_found".to_owned()));
    let left = desk.get("/v1/blocks", BOB).ok();
    assert_eq!(left["blocks"].as_array().unwrap().len(), 1);
    let short = json!({ "subject": "eve", "for": 1, "reason": "x" });
    desk.post("/v1/blocks", ANA, &short).ok();
    let seen = standing(&desk, EDGE, "");
    let since = format!("since={}&wait=60", seen["revision"].as_str().unwrap());
    let after = standing(&desk, EDGE, &since);
    assert_eq!(after["blocks"].as_array().unwrap().len(), 1);
    desk.kill();
    let all = events(&folder);
    assert_eq!(of(&all, "block").len(), 3);
    let ends = of(&all, "unblock");
    assert_eq!(
        (&ends[0]["who"]["name"], &ends[1]["who"]["kind"]),
        (&json!("ana"), &json!("desk"))
    );
}

#[test]
fn a_delegate_decides_for_a_time_and_both_names_are_told() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let asked = id(&desk.ask(&question(1)));
    let no = desk.decide(&asked, "approve", BOB).refusal();
    assert_eq!(no, (403, "not_your_group".to_owned()));
    for wrong in [
        json!({ "to": "bob", "groups": ["legal"], "for": 60 }),
        json!({ "to": "ana", "groups": ["ml-leads"], "for": 60 }),
        json!({ "to": "nobody", "groups": ["ml-leads"], "for": 60 }),
        json!({ "to": "bob", "groups": [], "for": 60 }),
        json!({ "to": "bob", "groups": ["ml-leads"], "for": 0 }),
    ] {
        let refused = desk.post("/v1/delegations", ANA, &wrong).refusal();
        assert_eq!(refused, (400, "malformed".to_owned()), "{wrong}");
    }
    let lend = json!({ "to": "bob", "groups": ["ml-leads"], "for": 600 });
    let made = desk.post("/v1/delegations", ANA, &lend).ok();
    let decided = desk.decide(&asked, "approve", BOB).ok();
    let decision = &decided["decisions"][0];
    assert_eq!(
        (&decision["reviewer"], &decision["on_behalf_of"]),
        (&json!("bob"), &json!("ana"))
    );
    let own = with(question(2), json!({ "subject": "ana@example.com" }));
    let own = id(&desk.ask(&own));
    let no = desk.decide(&own, "approve", BOB).refusal();
    assert_eq!(no, (403, "own_request".to_owned()));
    let target = format!("/v1/delegations/{}", made["id"].as_str().unwrap());
    crate::client::call(desk.http, "DELETE", &target, Some(ANA), None).ok();
    let other = id(&desk.ask(&question(3)));
    let no = desk.decide(&other, "approve", BOB).refusal();
    assert_eq!(no, (403, "not_your_group".to_owned()));
    desk.kill();
    let all = events(&folder);
    let decided = of(&all, "decision");
    assert_eq!(decided[0]["on_behalf_of"], "ana");
    assert_eq!(
        (
            of(&all, "delegation").len(),
            of(&all, "delegation_end").len()
        ),
        (1, 1)
    );
}

#[test]
fn glass_is_broken_loudly() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let asked = with(
        question(1),
        json!({ "approvals": 2, "email": "bob@example.com" }),
    );
    let asked = id(&desk.ask(&asked));
    let target = format!("/v1/approvals/{asked}/approve");
    let glass = |reason: &str| json!({ "reason": reason, "break_glass": true });
    let no = desk.post(&target, ANA, &glass("fire")).refusal();
    assert_eq!(no, (403, "no_break_glass".to_owned()));
    let no = desk.post(&target, BOB, &glass("")).refusal();
    assert_eq!(no, (400, "reason_required".to_owned()));
    assert_eq!(
        desk.post(&target, BOB, &glass("fire")).ok()["state"],
        "approved"
    );
    let (_, log) = desk.stop();
    assert!(
        log.contains("WARN") && log.contains("glass was broken"),
        "{log}"
    );
    let all = events(&folder);
    let broken = of(&all, "break_glass");
    assert_eq!((broken.len(), &broken[0]["reason"]), (1, &json!("fire")));
}

#[test]
fn many_are_decided_at_once_and_each_has_its_own_outcome() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let mut ids: Vec<String> = (0..60)
        .map(|number| id(&desk.ask(&question(number))))
        .collect();
    let own = with(question(100), json!({ "subject": "ana@example.com" }));
    ids.push(id(&desk.ask(&own)));
    ids.push("apr_none".to_owned());
    let bulk = json!({ "ids": ids, "decision": "approve", "reason": "all seen" });
    let results = desk.post("/v1/decisions", ANA, &bulk).ok()["results"].clone();
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), 62);
    for (result, id) in results.iter().zip(&ids).take(60) {
        assert_eq!(result, &json!({ "id": id, "state": "approved" }));
    }
    assert_eq!(results[60]["error"]["code"], "own_request");
    assert_eq!(results[61]["error"]["code"], "not_found");
    for wrong in [json!([]), json!(vec!["a"; 1001])] {
        let bulk = json!({ "ids": wrong, "decision": "deny" });
        let refused = desk.post("/v1/decisions", ANA, &bulk).refusal();
        assert_eq!(refused, (400, "malformed".to_owned()));
    }
}

#[test]
fn access_is_asked_for_ahead_of_need_and_given_by_the_rules_reviewers() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let access = json!({
        "rule": "export-needs-a-person", "operation": "model.export", "model": "big",
        "for": 600, "reviewers": ["legal"], "reason": "the release",
    });
    let foreign = with(access.clone(), json!({ "subject": "carol" }));
    let refused = desk.post("/v1/access", ANA, &foreign).refusal();
    assert_eq!(refused, (400, "malformed".to_owned()));
    let asked = desk.post("/v1/access", ANA, &access).ok();
    assert_eq!(
        (
            &asked["state"],
            &asked["about"],
            &asked["subject"],
            &asked["requester"]
        ),
        (
            &json!("pending"),
            &json!("access"),
            &json!("ana@example.com"),
            &json!("ana")
        )
    );
    desk.decide(&id(&asked), "approve", BOB).ok();
    // Nothing is listed before a question has shown whom the rule wants.
    assert_eq!(standing(&desk, EDGE, "")["grants"], json!([]));
    let by = |number, reviewers| {
        let change = json!({ "subject": "ana@example.com", "reviewers": reviewers });
        desk.ask(&with(question(number), change))
    };
    assert_eq!(by(1, ["ml-leads"])["state"], "pending");
    let answer = by(2, ["legal"]);
    assert_eq!(
        (id(&answer), &answer["state"]),
        (id(&asked), &json!("approved"))
    );
    assert_eq!(standing(&desk, EDGE, "")["grants"][0]["id"], asked["id"]);
}

#[test]
fn each_thing_that_happens_is_an_event() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let asked = id(&desk.ask(&question(1)));
    desk.get(&format!("/v1/approvals/{asked}"), ANA).ok();
    let asker = json!({ "asker": question(1)["asker"] });
    desk.post(&format!("/v1/approvals/{asked}/cancel"), EDGE, &asker)
        .ok();
    desk.decide(&asked, "approve", ANA).ok();
    desk.claim(&asked, &question(1), 7).ok();
    desk.claim(&asked, &question(1), 7).ok();
    desk.give_back(&asked, 7).ok();
    desk.decide(&asked, "revoke", ANA).ok();
    let short = with(question(2), json!({ "expires": 1 }));
    desk.ask(&short);
    desk.until("/v1/approvals?state=expired", |list| {
        list["approvals"][0].is_object()
    });
    desk.kill();
    let all = events(&folder);
    let words: Vec<&str> = all
        .iter()
        .map(|one| one["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "question",
            "look",
            "cancel",
            "decision",
            "claim",
            "give_back",
            "revocation",
            "question",
            "expiry",
        ]
    );
    let exchange = |number: u64| json!(format!("{number:032x}"));
    for (index, number) in [(0, 1), (3, 1), (4, 7), (5, 7), (6, 1), (8, 2)] {
        assert_eq!(all[index]["exchange"], exchange(number), "{}", words[index]);
    }
    assert_eq!(all[8]["who"], json!({ "kind": "desk" }));
}
