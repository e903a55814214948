mod resets;

use core::time::Duration;
use std::collections::BTreeMap;

use base::identity::{Identity, Kind, token_digest};
use serde_json::{Value, json};

use super::{Poll, Scope, Standing};

const NOW: Duration = Duration::from_secs(1_800_000_000);

fn after(milliseconds: u64) -> Duration {
    NOW + Duration::from_millis(milliseconds)
}

fn jane() -> Identity {
    Identity {
        provider: "corp".to_owned(),
        issuer: "https://idp".to_owned(),
        subject: "jane".to_owned(),
        kind: Kind::Person,
        client: None,
        token: Some(token_digest("t-1")),
        groups: vec!["engineers".to_owned(), "leads".to_owned()],
        email: None,
        expires: Duration::MAX,
        claims: BTreeMap::new(),
    }
}

fn grant(changes: &Value) -> Value {
    let mut grant = json!({
        "id": "grant_1", "issuer": "https://idp", "subject": "jane", "group": null, "rule": "ask",
        "rule_digest": "d1", "operation": "model.export", "model": "m", "left_ms": 60_000,
    });
    let changes = changes.as_object().unwrap().clone();
    grant.as_object_mut().unwrap().extend(changes);
    grant
}

fn block(changes: &Value) -> Value {
    let mut block = json!({
        "id": "blk_1", "issuer": "https://idp", "subject": null, "token_id": null, "left_ms": null, "reason": "a drill",
    });
    let changes = changes.as_object().unwrap().clone();
    block.as_object_mut().unwrap().extend(changes);
    block
}

fn listed(grants: &[Value], blocks: &[Value]) -> Value {
    json!({"revision": "r1", "lease_ms": 2000, "grants": grants, "blocks": blocks})
}

fn poll(sent: Duration, wait: u64) -> Poll {
    let wait = Duration::from_secs(wait);
    Poll { sent, wait }
}

/// What stands by an answer to a question of now.
fn standing(answer: &Value) -> Standing {
    let mut standing = Standing::default();
    let answer = answer.to_string();
    standing.take(answer.as_bytes(), poll(NOW, 0), NOW).unwrap();
    standing
}

/// The grant for what the usual one is for.
fn found(standing: &Standing, caller: &Identity, now: Duration) -> Option<String> {
    found_for(
        standing,
        caller,
        ("ask", "d1"),
        ("model.export", Some("m")),
        now,
    )
}

fn found_for(
    standing: &Standing,
    caller: &Identity,
    (rule, digest): (&str, &str),
    (operation, model): (&str, Option<&str>),
    now: Duration,
) -> Option<String> {
    let scope = Scope {
        caller,
        rule,
        digest,
        operation,
        model,
        others: false,
    };
    standing.grant(&scope, now).map(str::to_owned)
}

#[test]
fn a_grant_covers_its_caller_rule_operation_and_model_and_nothing_else() {
    let one = standing(&listed(&[grant(&json!({}))], &[]));
    let jane = jane();
    assert_eq!(found(&one, &jane, NOW).as_deref(), Some("grant_1"));
    let at = |rule, what| found_for(&one, &jane, rule, what, NOW);
    assert_eq!(at(("ask", "d2"), ("model.export", Some("m"))), None);
    assert_eq!(at(("other", "d1"), ("model.export", Some("m"))), None);
    assert_eq!(at(("ask", "d1"), ("model.tune", Some("m"))), None);
    assert_eq!(at(("ask", "d1"), ("model.export", Some("n"))), None);
    assert_eq!(at(("ask", "d1"), ("model.export", None)), None);
    for other in [
        Identity {
            subject: "joe".to_owned(),
            ..jane.clone()
        },
        Identity {
            issuer: "https://other".to_owned(),
            ..jane.clone()
        },
    ] {
        assert_eq!(found(&one, &other, NOW), None, "{other:?}");
    }
    // A group of the same name is no subject.
    let named = json!({"subject": null, "group": "jane"});
    assert_eq!(
        found(&standing(&listed(&[grant(&named)], &[])), &jane, NOW),
        None
    );
}

#[test]
fn a_grant_for_a_group_or_for_any_operation_covers_more() {
    let jane = jane();
    for changes in [
        json!({"subject": null, "group": "leads"}),
        json!({"operation": null}),
    ] {
        let one = standing(&listed(&[grant(&changes)], &[]));
        assert!(found(&one, &jane, NOW).is_some(), "{changes}");
    }
    let group = json!({"subject": null, "group": "others"});
    assert_eq!(
        found(&standing(&listed(&[grant(&group)], &[])), &jane, NOW),
        None
    );
    let group = json!({"subject": null, "group": "leads", "issuer": "https://other"});
    assert_eq!(
        found(&standing(&listed(&[grant(&group)], &[])), &jane, NOW),
        None
    );
    // Without a model, it is for requests that name none, and no wider.
    let none = standing(&listed(&[grant(&json!({"model": null}))], &[]));
    assert_eq!(found(&none, &jane, NOW), None);
    let unnamed = found_for(&none, &jane, ("ask", "d1"), ("model.export", None), NOW);
    assert!(unnamed.is_some());
}

#[test]
fn a_grant_for_any_model_says_so_and_covers_what_names_several() {
    let jane = jane();
    let covers = |one: &Standing, model, others| {
        let scope = Scope {
            caller: &jane,
            rule: "ask",
            digest: "d1",
            operation: "model.export",
            model,
            others,
        };
        one.grant(&scope, NOW).is_some()
    };
    for (changes, covered) in [
        (json!({"model": null, "models": "any"}), [true; 6]),
        (
            json!({"model": null, "models": "any", "operation": null}),
            [true; 6],
        ),
        (
            json!({"model": null, "models": "any", "subject": null, "group": "leads"}),
            [true; 6],
        ),
        (json!({}), [true, false, false, false, false, false]),
        (
            json!({"operation": null}),
            [true, false, false, false, false, false],
        ),
        (
            json!({"model": null}),
            [false, false, true, false, false, false],
        ),
        // A star is a name, and a word that isn't known says nothing.
        (json!({"model": "*"}), [false; 6]),
        (
            json!({"model": null, "models": "some"}),
            [false, false, true, false, false, false],
        ),
        (
            json!({"models": null}),
            [true, false, false, false, false, false],
        ),
    ] {
        let one = standing(&listed(&[grant(&changes)], &[]));
        let asked = [Some("m"), Some("n"), None].map(|model| covers(&one, model, false));
        let several = [Some("m"), Some("n"), None].map(|model| covers(&one, model, true));
        assert_eq!([asked, several].concat(), covered, "{changes}");
    }
}

#[test]
fn a_grant_for_a_group_is_not_for_those_whom_it_excepts() {
    let except = json!(["joe", "j\u{f6}rg@example.com"]);
    let group = json!({"subject": null, "group": "leads", "except": except});
    let one = standing(&listed(&[grant(&group)], &[]));
    let named = |subject: &str, email: Option<&str>| Identity {
        subject: subject.to_owned(),
        email: email.map(str::to_owned),
        ..jane()
    };
    for (caller, covered) in [
        (named("jane", None), true),
        (named("joe", None), false),
        (named("Joe", None), false),
        (named("jane", Some("J\u{d6}RG@example.com")), false),
        (named("jane", Some("jane@example.com")), true),
    ] {
        assert_eq!(found(&one, &caller, NOW).is_some(), covered, "{caller:?}");
    }
    // Another grant may cover them.
    let two = [
        grant(&group),
        grant(&json!({"subject": null, "group": "engineers", "id": "grant_2"})),
    ];
    let two = standing(&listed(&two, &[]));
    assert_eq!(
        found(&two, &named("joe", None), NOW).as_deref(),
        Some("grant_2")
    );
    // Each grant has its own.
    let next = [
        grant(&group),
        grant(&json!({"subject": "joe", "id": "grant_3"})),
    ];
    let next = standing(&listed(&next, &[]));
    assert_eq!(
        found(&next, &named("joe", None), NOW).as_deref(),
        Some("grant_3")
    );
}

#[test]
fn what_is_not_known_is_passed_over_however_deep_it_is() {
    let odd = json!({"a": [{"id": 1}, [[]], "x"], "grants": {"b": null}});
    let mut answer = listed(
        &[grant(&json!({"by": odd, "reviewers": ["x"], "z": 0.5}))],
        &[block(&json!({"subject": "joe", "by": odd, "except": null}))],
    );
    answer["later"] = odd.clone();
    answer["more"] = json!([odd, true]);
    let one = standing(&answer);
    assert!(found(&one, &jane(), NOW).is_some());
    let joe = Identity {
        subject: "joe".to_owned(),
        ..jane()
    };
    assert_eq!(one.block(&joe, NOW), Some("blk_1"));
    // What says that something has changed has both lists.
    let mut changed = Standing::default();
    let text = br#"{"revision": "r1", "lease_ms": 2000, "unchanged": false, "grants": []}"#;
    assert!(changed.take(text, poll(NOW, 0), NOW).is_err());
}

#[test]
fn names_of_any_length_are_told_apart() {
    let names: Vec<String> = (0..40).map(|length| "x".repeat(length + 1)).collect();
    let grants: Vec<Value> = names
        .iter()
        .map(|name| grant(&json!({"id": format!("g{}", name.len()), "subject": name})))
        .collect();
    let one = standing(&listed(&grants, &[]));
    for name in &names {
        let caller = Identity {
            subject: name.clone(),
            ..jane()
        };
        assert_eq!(found(&one, &caller, NOW), Some(format!("g{}", name.len())));
        let other = Identity {
            subject: format!("{name}\0"),
            ..jane()
        };
        assert_eq!(found(&one, &other, NOW), None);
    }
}

#[test]
fn a_grant_ends_to_the_millisecond_counted_from_the_question() {
    let jane = jane();
    let mut one = Standing::default();
    let two = [
        grant(&json!({"left_ms": 700})),
        grant(&json!({"left_ms": 900, "id": "grant_2"})),
    ];
    let answer = listed(&two, &[]).to_string();
    one.take(answer.as_bytes(), poll(NOW, 1), after(500))
        .unwrap();
    assert_eq!(found(&one, &jane, after(899)).as_deref(), Some("grant_2"));
    assert_eq!(found(&one, &jane, after(900)), None);
}

#[test]
fn grants_are_used_as_long_as_the_lease_and_blocks_for_longer() {
    let jane = jane();
    let blocks = [block(&json!({"subject": "joe"}))];
    let mut one = standing(&listed(&[grant(&json!({}))], &blocks));
    let joe = Identity {
        subject: "joe".to_owned(),
        ..jane.clone()
    };
    assert!(found(&one, &jane, after(1999)).is_some());
    assert_eq!(found(&one, &jane, after(2000)), None);
    assert_eq!(one.block(&joe, after(3_600_000)), Some("blk_1"));
    // That nothing changed holds for the time behind the wait.
    let unchanged = br#"{"revision": "r1", "unchanged": true}"#;
    one.take(unchanged, poll(after(100), 1), after(1120))
        .unwrap();
    assert!(found(&one, &jane, after(3099)).is_some());
    assert_eq!(found(&one, &jane, after(3100)), None);
    // Of a desk that doesn't wait, only what stood when it was asked is certain.
    one.take(unchanged, poll(after(1200), 1), after(1201))
        .unwrap();
    assert!(found(&one, &jane, after(3199)).is_some());
    assert_eq!(found(&one, &jane, after(3200)), None);
    // A clock that is put back makes no lease longer.
    assert_eq!(found(&one, &jane, NOW - Duration::from_secs(9)), None);
}

#[test]
fn no_desk_gives_a_lease_of_more_than_ten_seconds() {
    let answer = json!({"revision": "r1", "lease_ms": 3_600_000, "grants": [grant(&json!({}))], "blocks": []});
    let one = standing(&answer);
    assert!(found(&one, &jane(), after(9999)).is_some());
    assert_eq!(found(&one, &jane(), after(10_000)), None);
}

#[test]
fn what_is_asked_next_names_the_revision_and_waits_unless_the_lease_is_old() {
    let mut one = Standing::default();
    assert_eq!(
        one.poll(NOW),
        (poll(NOW, 0), "/v1/standing?wait=0".to_owned())
    );
    let answer = listed(&[], &[]).to_string();
    one.take(answer.as_bytes(), poll(NOW, 0), after(3)).unwrap();
    let waits = |one: &Standing, now| one.poll(now).0.wait == Duration::from_secs(1);
    assert_eq!(
        one.poll(after(3)),
        (poll(after(3), 1), "/v1/standing?since=r1&wait=1".to_owned())
    );
    // A change that comes at the end of a wait: the lease has begun with the question.
    let answer = answer.replace("r1", "r2");
    one.take(answer.as_bytes(), poll(after(3), 1), after(990))
        .unwrap();
    assert!(!waits(&one, after(990)));
    let unchanged = br#"{"revision": "r2", "unchanged": true}"#;
    one.take(unchanged, poll(after(990), 0), after(992))
        .unwrap();
    assert!(waits(&one, after(992)));
}

#[test]
fn a_block_is_of_a_subject_or_a_token_of_one_issuer_or_of_any() {
    let jane = jane();
    let digest = token_digest("t-1");
    for changes in [
        json!({"subject": "jane"}),
        json!({"subject": "jane", "issuer": null}),
        json!({"token_id": "t-1"}),
        json!({"token_id": "t-1", "issuer": null}),
        json!({"token_id": digest}),
        json!({"token_id": "t-1", "subject": "joe"}),
        json!({"subject": "jane", "left_ms": 1}),
    ] {
        let one = standing(&listed(&[], &[block(&changes)]));
        assert_eq!(one.block(&jane, NOW), Some("blk_1"), "{changes}");
    }
    for changes in [
        json!({"subject": "joe"}),
        json!({"subject": "jane", "issuer": "https://other"}),
        json!({"subject": "t-1"}),
        json!({"subject": digest}),
        json!({"token_id": "jane"}),
        json!({"token_id": "t-2"}),
        json!({"subject": "jane", "left_ms": 0}),
    ] {
        let one = standing(&listed(&[], &[block(&changes)]));
        assert_eq!(one.block(&jane, NOW), None, "{changes}");
    }
    let without = Identity {
        token: None,
        ..jane
    };
    let one = standing(&listed(&[], &[block(&json!({"token_id": "t-1"}))]));
    assert_eq!(one.block(&without, NOW), None);
}

#[test]
fn a_block_ends_no_sooner_than_the_desk_has_it() {
    let mut one = Standing::default();
    let answer = listed(&[], &[block(&json!({"subject": "jane", "left_ms": 500}))]).to_string();
    one.take(answer.as_bytes(), poll(NOW, 1), after(900))
        .unwrap();
    assert!(one.block(&jane(), after(1399)).is_some());
    assert_eq!(one.block(&jane(), after(1400)), None);
}

#[test]
fn an_answer_that_is_wrong_changes_nothing() {
    let mut one = standing(&listed(&[grant(&json!({}))], &[]));
    let many = vec![grant(&json!({})); 10_001];
    let wrong = |grants: Value, blocks: Value| {
        json!({"revision": "r2", "lease_ms": 2000, "grants": grants, "blocks": blocks}).to_string()
    };
    let a_grant = |changes: Value| wrong(json!([grant(&changes)]), json!([]));
    let a_block = |changes: Value| wrong(json!([]), json!([block(&changes)]));
    let long = "x".repeat(4097);
    for answer in [
        String::new(),
        "[]".to_owned(),
        r#"{"revision": "r1"}"#.to_owned(),
        r#"{"revision": "r2", "unchanged": true}"#.to_owned(),
        r#"{"revision": "r1", "unchanged": true, "revision": "r1"}"#.to_owned(),
        r#"{"revision": "r1&wait=0", "unchanged": true}"#.to_owned(),
        r#"{"revision": "r2", "grants": [], "blocks": []}"#.to_owned(),
        r#"{"revision": "r2", "lease_ms": -1, "grants": [], "blocks": []}"#.to_owned(),
        r#"{"revision": "r2", "lease_ms": 2000, "grants": []}"#.to_owned(),
        wrong(json!(many), json!([])),
        wrong(json!(["grant_1"]), json!([])),
        a_grant(json!({"id": "../x"})),
        a_grant(json!({"id": null})),
        a_grant(json!({"issuer": null})),
        a_grant(json!({"subject": null})),
        a_grant(json!({"group": "leads"})),
        a_grant(json!({"rule": null})),
        a_grant(json!({"rule_digest": null})),
        a_grant(json!({"left_ms": null})),
        a_grant(json!({"left_ms": 0.5})),
        a_grant(json!({"operation": ""})),
        a_grant(json!({"model": ["m"]})),
        a_grant(json!({"model": long})),
        a_grant(json!({"models": "any"})),
        a_grant(json!({"model": null, "models": ["any"]})),
        a_grant(json!({"except": "joe"})),
        a_grant(json!({"except": [5]})),
        a_grant(json!({"except": [["joe"]]})),
        a_grant(json!({"except": vec!["joe"; 65]})),
        a_block(json!({})),
        a_block(json!({"subject": 5})),
        a_block(json!({"subject": "jane", "left_ms": "soon"})),
    ] {
        let taken = one.take(answer.as_bytes(), poll(after(1), 0), after(2));
        assert!(taken.is_err(), "{answer:.200}");
    }
    assert!(found(&one, &jane(), NOW).is_some());
    assert_eq!(one.poll(NOW).1, "/v1/standing?since=r1&wait=1");
    // What isn't known is passed over.
    let answer = a_grant(json!({"left_ms": 1000, "by": {"name": "ana"}}));
    one.take(answer.as_bytes(), poll(NOW, 0), NOW).unwrap();
}

#[test]
fn as_many_as_may_be_listed_are_taken_and_found() {
    let grants: Vec<Value> = (0..10_000)
        .map(|n| grant(&json!({"id": format!("grant_{n}"), "subject": format!("user-{n}")})))
        .collect();
    let blocks: Vec<Value> = (0..10_000)
        .map(|n| block(&json!({"id": format!("blk_{n}"), "subject": format!("user-{n}")})))
        .collect();
    let one = standing(&listed(&grants, &blocks));
    for n in [0, 1, 4999, 9999] {
        let user = Identity {
            subject: format!("user-{n}"),
            ..jane()
        };
        assert_eq!(found(&one, &user, NOW), Some(format!("grant_{n}")));
        assert_eq!(one.block(&user, NOW), Some(&*format!("blk_{n}")));
    }
    assert_eq!(found(&one, &jane(), NOW), None);
    assert_eq!(one.block(&jane(), NOW), None);
}

#[test]
fn who_is_blocked_is_known_for_ten_seconds() {
    assert!(!Standing::default().is_heard(NOW));
    let one = standing(&listed(&[], &[]));
    assert!(one.is_heard(after(9999)));
    assert!(!one.is_heard(after(10_000)));
}
