use serde_json::{Value, json};

use crate::client::{call, raw};
use crate::harness::{ANA, Desk, EDGE, Folder, question, with};

#[test]
fn calls_without_the_right_key_are_refused() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let body = question(1).to_string();
    for (method, target, filter, reviewer) in [
        ("POST", "/v1/approvals", true, false),
        ("GET", "/v1/approvals", false, true),
        ("GET", "/v1/approvals/apr_none", true, true),
        ("POST", "/v1/approvals/apr_none/approve", false, true),
        ("POST", "/v1/approvals/apr_none/deny", false, true),
        ("POST", "/v1/approvals/apr_none/revoke", false, true),
        ("POST", "/v1/approvals/apr_none/claim", true, false),
        ("POST", "/v1/approvals/apr_none/give_back", true, false),
        ("POST", "/v1/approvals/apr_none/cancel", true, false),
        ("POST", "/v1/decisions", false, true),
        ("POST", "/v1/access", false, true),
        ("GET", "/v1/grants", false, true),
        ("GET", "/v1/standing", true, false),
        ("POST", "/v1/blocks", false, true),
        ("GET", "/v1/blocks", false, true),
        ("POST", "/v1/delegations", false, true),
        ("GET", "/v1/delegations", false, true),
        ("DELETE", "/v1/delegations/dlg_none", false, true),
        ("GET", "/v1/sessions", false, true),
        ("GET", "/v1/sessions/00", false, true),
    ] {
        let ask = |key: Option<&str>| call(desk.http, method, target, key, Some(&body));
        let almost = &EDGE[1..];
        for key in [None, Some(""), Some("x"), Some(almost)] {
            let answer = ask(key);
            assert_eq!(
                answer.refusal(),
                (401, "unauthorized".to_owned()),
                "{target} {key:?}"
            );
            assert!(
                answer.head.contains("www-authenticate: bearer"),
                "{}",
                answer.head
            );
        }
        for (key, allowed) in [(EDGE, filter), (ANA, reviewer)] {
            let answer = ask(Some(key));
            if allowed {
                assert!(
                    ![401, 403].contains(&answer.status),
                    "{target} {}",
                    answer.body
                );
            } else {
                assert_eq!(answer.refusal(), (403, "wrong_key".to_owned()), "{target}");
            }
        }
    }
}

#[test]
fn only_one_bearer_key_counts() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ask = |headers: &str| {
        raw(
            desk.http,
            &format!(
                "GET /v1/approvals HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n{headers}\r\n"
            ),
        )
        .status
    };
    assert_eq!(ask(&format!("authorization: bearer {ANA}\r\n")), 200);
    assert_eq!(ask(&format!("authorization: Basic {ANA}\r\n")), 401);
    assert_eq!(ask(&format!("authorization: {ANA}\r\n")), 401);
    let twice = format!("authorization: Bearer {ANA}\r\n");
    assert_eq!(ask(&format!("{twice}{twice}")), 401);
}

#[test]
fn malformed_questions_are_refused() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let refused = |body: &str| {
        let answer = call(desk.http, "POST", "/v1/approvals", Some(EDGE), Some(body));
        assert_eq!(answer.refusal(), (400, "malformed".to_owned()), "{body}");
    };
    for body in ["", "{", "[]", "null", "{}"] {
        refused(body);
    }
    refused(&format!("{} 1", question(1)));
    refused(&format!(
        "{}{{\"binding\":\"\",{}",
        "",
        &question(1).to_string()[1..]
    ));
    for change in [
        json!({ "binding": "abc" }),
        json!({ "binding": "G".repeat(64) }),
        json!({ "binding": "A".repeat(64) }),
        json!({ "rule_digest": null }),
        json!({ "asker": "1" }),
        json!({ "exchange": null }),
        json!({ "version": 3 }),
        json!({ "about": "access" }),
        json!({ "approvals": 0 }),
        json!({ "approvals": 17 }),
        json!({ "expires": 0 }),
        json!({ "reason": "never" }),
        json!({ "grant": { "for": 0 } }),
        json!({ "grant": { "for": 60, "uses": 0 } }),
        json!({ "escalate": { "after": 1, "reviewers": [] } }),
        json!({ "policy": "" }),
        json!({ "subject": "" }),
        json!({ "subject": "x".repeat(9000) }),
        json!({ "rule": null }),
        json!({ "groups": "ml" }),
        json!({ "reviewers": [] }),
        json!({ "items": -1 }),
    ] {
        refused(&with(question(1), change).to_string());
    }
    let mut missing = question(1);
    missing.as_object_mut().unwrap().remove("issuer");
    refused(&missing.to_string());
    // What may be absent by its meaning may be null.
    let bare = with(question(1), json!({ "model": null, "items": null }));
    assert_eq!(desk.ask(&bare)["state"], "pending");
}

#[test]
fn malformed_queries_and_decisions_are_refused() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = desk.ask(&question(1));
    let one = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    for (target, key) in [
        (format!("{one}?wait=soon"), EDGE),
        (format!("{one}?wait=-1"), EDGE),
        ("/v1/approvals?state=open".to_owned(), ANA),
        ("/v1/approvals?limit=many".to_owned(), ANA),
        ("/v1/approvals?page=2".to_owned(), ANA),
        ("/v1/sessions?limit=-1".to_owned(), ANA),
        ("/v1/sessions?user=x".to_owned(), ANA),
    ] {
        assert_eq!(
            desk.get(&target, key).refusal(),
            (400, "malformed".to_owned()),
            "{target}"
        );
    }
    for body in [
        json!({ "reason": 1 }),
        json!({ "reason": "x".repeat(501) }),
        json!({ "reason": "two\r\nlines" }),
        json!({ "because": "x" }),
        json!([]),
    ] {
        let answer = desk.post(&format!("{one}/approve"), ANA, &body);
        assert_eq!(answer.refusal(), (400, "malformed".to_owned()), "{body}");
    }
    assert_eq!(
        desk.ask(&question(1)),
        asked,
        "nothing of this decided anything"
    );
    let longest = json!({ "reason": "é".repeat(500) });
    assert_eq!(
        desk.post(&format!("{one}/deny"), ANA, &longest).ok()["state"],
        "denied"
    );
}

#[test]
fn what_is_too_large_elsewhere_or_nowhere_is_refused() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let large = with(question(1), json!({ "groups": ["g".repeat(64 << 10)] }));
    assert_eq!(
        desk.post("/v1/approvals", EDGE, &large).refusal(),
        (413, "too_large".to_owned())
    );
    let fits = with(question(1), json!({ "groups": ["g".repeat(60 << 10)] }));
    assert_eq!(desk.ask(&fits)["state"], "pending");
    for target in [
        "/",
        "/v1",
        "/v1/approvals/",
        "/v1/approvals/a/b",
        "/v1/approvals/%ff",
    ] {
        assert_eq!(
            desk.get(target, ANA).refusal(),
            (404, "not_found".to_owned()),
            "{target}"
        );
    }
    let unknown = format!("/v1/approvals/{}", "a".repeat(4000));
    for (target, key) in [
        (&*unknown, EDGE),
        ("/v1/approvals/apr_none", EDGE),
        ("/v1/sessions/00", ANA),
    ] {
        assert_eq!(
            desk.get(target, key).refusal(),
            (404, "not_found".to_owned()),
            "{target}"
        );
    }
    let answer = call(desk.http, "DELETE", "/v1/approvals", Some(ANA), None);
    assert_eq!(answer.refusal(), (405, "method_not_allowed".to_owned()));
    assert!(answer.head.contains("allow: "), "{}", answer.head);
}

#[test]
fn one_subject_may_not_fill_the_desk() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    for number in 0..100 {
        assert_eq!(desk.ask(&question(number))["state"], "pending");
    }
    let over = desk.post("/v1/approvals", EDGE, &question(100));
    assert_eq!(over.refusal(), (429, "too_many_pending".to_owned()));
    assert!(over.head.contains("retry-after: "), "{}", over.head);
    assert_eq!(
        desk.ask(&question(99))["state"],
        "pending",
        "a known question is answered"
    );
    let other = with(question(100), json!({ "subject": "dave" }));
    let other: Value = desk.ask(&other);
    assert_eq!(other["state"], "pending");
    let known = desk.ask(&question(0));
    desk.decide(known["id"].as_str().unwrap(), "deny", ANA).ok();
    assert_eq!(
        desk.ask(&question(100))["state"],
        "pending",
        "a decision makes room"
    );
}
