//! What stands at the desk: grants that last, and who is blocked.

mod resets;

use core::time::Duration;
use std::rc::Rc;

use jwt_compact::alg::Es256;
use serde_json::{Value, json};

use super::{Driven, NOW, ask, call, claimed, code, compiled, decision, posts, reply};
use crate::exchange::{CompiledPolicy, Effect, Flow, Outcome};
use crate::testing::{ec_secret, signed};

fn gated(approvals: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": approvals,
        "quotas": {"few": {"by": ["subject"], "count": "requests", "limit": 3, "per": "1h"}},
        "rules": [
            {"name": "gate", "when": {"operation": ["embedding.*"]},
             "then": {"approve": {"reviewers": ["leads"], "grant": {"for": "1h"}}}},
            {"name": "once", "when": {"operation": ["model.export", "model.delete"]}, "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "all", "then": "allow", "quota": ["few"]},
        ],
    }))
}

fn usual() -> Rc<CompiledPolicy> {
    gated(&json!({"cluster": "desk"}))
}

fn rule_digest(compiled: &CompiledPolicy, index: usize) -> String {
    compiled.policy.rules[index].digest.clone()
}

/// The desk says that this stands now.
fn says(compiled: &CompiledPolicy, now: Duration, grants: &Value, blocks: &Value) {
    let (poll, _) = compiled.poll_standing(now);
    let answer = json!({"revision": "r1", "lease_ms": 2000, "grants": grants, "blocks": blocks});
    let answer = answer.to_string();
    compiled
        .take_standing(answer.as_bytes(), poll, now)
        .unwrap();
}

fn grant(compiled: &CompiledPolicy, changes: &Value) -> Value {
    let mut grant = json!({
        "id": "apr_1", "issuer": "https://idp", "subject": "jane", "rule": "gate",
        "rule_digest": rule_digest(compiled, 0), "operation": "embedding.create", "model": "m",
        "left_ms": 60_000,
    });
    let changes = changes.as_object().unwrap().clone();
    grant.as_object_mut().unwrap().extend(changes);
    grant
}

fn now() -> Duration {
    Duration::from_secs(NOW)
}

fn embeds(compiled: &Rc<CompiledPolicy>, model: &str) -> (Driven, Outcome) {
    let mut exchange = Driven::new(compiled);
    let head = exchange.head(
        "POST",
        "/v1/embeddings",
        &[("content-type", "application/json")],
        false,
    );
    assert_eq!(head.flow, Flow::Hold);
    let body = json!({"model": model, "input": ["a", "b"]}).to_string();
    let outcome = exchange.whole(&body);
    (exchange, outcome)
}

fn asks(outcome: &Outcome) -> bool {
    outcome
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Ask(_)))
}

#[test]
fn a_grant_lets_requests_pass_without_a_question_and_the_record_says_so() {
    let compiled = usual();
    says(
        &compiled,
        now(),
        &json!([grant(&compiled, &json!({}))]),
        &json!([]),
    );
    let (mut exchange, outcome) = embeds(&compiled, "m");
    assert_eq!((outcome.effects.len(), outcome.flow), (0, Flow::Continue));
    let record = exchange.record();
    assert_eq!(record["verdict"]["action"], "allow");
    assert_eq!(record["verdict"]["rule"], "all");
    assert_eq!(
        record["approvals"][0],
        json!({"id": "apr_1", "state": "granted", "rule": "gate", "reviewer": null, "reason": null, "decided": null, "claim": null, "given_back": false, "kept_from": null})
    );
    assert_eq!(record["verdict"]["quotas"], json!(["few"]));
}

#[test]
fn a_quota_counts_what_a_grant_lets_pass() {
    let compiled = usual();
    says(
        &compiled,
        now(),
        &json!([grant(&compiled, &json!({}))]),
        &json!([]),
    );
    let (first, _) = embeds(&compiled, "m");
    for left in [2, 1, 0] {
        let mut exchange = Driven::new(&compiled);
        exchange.store = Rc::clone(&first.store);
        exchange.head(
            "POST",
            "/v1/embeddings",
            &[("content-type", "application/json")],
            false,
        );
        let outcome = exchange.whole(r#"{"model":"m","input":"a"}"#);
        match left {
            0 => assert_eq!(code(&outcome), "quota_exceeded"),
            _ => assert_eq!(outcome.flow, Flow::Continue),
        }
    }
}

#[test]
fn what_a_grant_does_not_cover_is_asked_for() {
    let compiled = usual();
    let (_, outcome) = embeds(&compiled, "m");
    assert!(asks(&outcome), "nothing stands");
    says(
        &compiled,
        now(),
        &json!([grant(&compiled, &json!({}))]),
        &json!([]),
    );
    let (_, outcome) = embeds(&compiled, "n");
    assert!(asks(&outcome), "another model");
    for changes in [
        json!({"subject": "joe"}),
        json!({"issuer": "https://other"}),
        json!({"rule_digest": rule_digest(&compiled, 1)}),
        json!({"operation": "model.export"}),
        json!({"left_ms": 0}),
    ] {
        says(
            &compiled,
            now(),
            &json!([grant(&compiled, &changes)]),
            &json!([]),
        );
        let (_, outcome) = embeds(&compiled, "m");
        assert!(asks(&outcome), "{changes}");
    }
    let group = json!({"subject": null, "group": "engineers"});
    says(
        &compiled,
        now(),
        &json!([grant(&compiled, &group)]),
        &json!([]),
    );
    let (_, outcome) = embeds(&compiled, "m");
    assert_eq!(outcome.flow, Flow::Continue);
}

#[test]
fn behind_the_lease_a_grant_is_asked_for() {
    let compiled = usual();
    let old = now() - Duration::from_millis(2000);
    says(
        &compiled,
        old,
        &json!([grant(&compiled, &json!({}))]),
        &json!([]),
    );
    let (_, outcome) = embeds(&compiled, "m");
    assert!(asks(&outcome));
}

#[test]
fn a_grant_opens_no_gate_that_has_none_that_last() {
    let compiled = usual();
    let other = json!({"rule": "once", "rule_digest": rule_digest(&compiled, 1), "operation": null, "model": null});
    says(
        &compiled,
        now(),
        &json!([grant(&compiled, &other)]),
        &json!([]),
    );
    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.head("DELETE", "/v1/models/m", &[], true);
    assert!(asks(&outcome), "{outcome:?}");
}

#[test]
fn who_is_blocked_is_refused_whatever_is_asked_for() {
    let compiled = usual();
    let blocks = json!([{"id": "blk_7", "issuer": "https://idp", "subject": "jane", "left_ms": null, "reason": "left"}]);
    says(&compiled, now(), &json!([]), &blocks);
    for (method, path) in [
        ("GET", "/v1/models"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/x"),
    ] {
        let mut exchange = Driven::new(&compiled);
        let outcome = exchange.head(method, path, &[], true);
        assert_eq!(
            (code(&outcome).as_str(), reply(&outcome).status),
            ("blocked", 403)
        );
        assert!(reply(&outcome).body.contains("blk_7"));
        let record = exchange.record();
        assert_eq!(record["verdict"]["code"], "blocked");
        assert_eq!(record["identity"]["subject"], "jane");
        let reason = record["verdict"]["reason"].as_str().unwrap();
        assert!(reason.contains("blk_7"), "{reason}");
    }
}

#[test]
fn a_token_is_blocked_by_its_id() {
    let compiled = usual();
    let blocks = json!([{"id": "blk_8", "issuer": null, "token_id": "t-1", "left_ms": 60_000, "reason": "stolen"}]);
    says(&compiled, now(), &json!([]), &blocks);
    for (id, blocked) in [("t-1", true), ("t-2", false)] {
        let claims = json!({"iss": "https://idp", "aud": "inference", "sub": "jane", "jti": id, "exp": NOW + 600});
        let token = signed(
            &Es256,
            &ec_secret(1),
            &json!({"alg": "ES256", "kid": "a"}),
            &claims,
        );
        let bearer = format!("Bearer {token}");
        let mut exchange = Driven::new(&compiled);
        let outcome = exchange.head("GET", "/v1/models", &[("authorization", &bearer)], true);
        assert_eq!(outcome.flow == Flow::Hold, blocked, "{id}");
    }
}

#[test]
fn a_block_that_comes_while_a_request_waits_refuses_it_and_gives_its_quota_back() {
    let compiled = usual();
    let (mut exchange, outcome) = embeds(&compiled, "m");
    let question = ask(&outcome);
    let blocks =
        json!([{"id": "blk_9", "issuer": "https://idp", "subject": "jane", "reason": "left"}]);
    says(&compiled, now(), &json!([]), &blocks);
    let outcome = exchange.decided(&question, &decision("apr_1", "approved"));
    assert_eq!(code(&outcome), "blocked");
    assert_eq!(exchange.record()["verdict"]["quotas"], json!([]));

    // The same while the body is waited for.
    let compiled = usual();
    let mut exchange = Driven::new(&compiled);
    exchange.head(
        "POST",
        "/v1/embeddings",
        &[("content-type", "application/json")],
        false,
    );
    says(&compiled, now(), &json!([]), &blocks);
    let outcome = exchange.whole(r#"{"model":"m","input":"a"}"#);
    assert_eq!(code(&outcome), "blocked");
}

#[test]
fn where_the_policy_says_so_nobody_passes_while_it_is_not_known_who_is_blocked() {
    let strict = gated(&json!({"cluster": "desk", "blocks": {"on_failure": "deny"}}));
    let list =
        |compiled: &Rc<CompiledPolicy>| Driven::new(compiled).head("GET", "/v1/models", &[], true);
    let outcome = list(&strict);
    assert_eq!(
        (code(&outcome).as_str(), reply(&outcome).status),
        ("blocks_unknown", 503)
    );
    says(&strict, now(), &json!([]), &json!([]));
    assert_eq!(list(&strict).flow, Flow::Continue);
    let strict = gated(&json!({"cluster": "desk", "blocks": {"on_failure": "deny"}}));
    says(
        &strict,
        now() - Duration::from_secs(10),
        &json!([]),
        &json!([]),
    );
    assert_eq!(code(&list(&strict)), "blocks_unknown");

    let usual = usual();
    assert_eq!(list(&usual).flow, Flow::Continue);
    // Who was blocked when the desk was last heard stays so.
    let blocks =
        json!([{"id": "blk_7", "issuer": "https://idp", "subject": "jane", "reason": "left"}]);
    says(
        &usual,
        now() - Duration::from_secs(3600),
        &json!([]),
        &blocks,
    );
    assert_eq!(code(&list(&usual)), "blocked");
}

/// One gate that a grant opens, and one behind it that only a person does.
fn gated_twice() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk"},
        "rules": [
            {"name": "gate", "when": {"operation": ["embedding.*"]},
             "then": {"approve": {"reviewers": ["leads"], "grant": {"for": "1h"}}}},
            {"name": "second", "when": {"operation": ["embedding.*"]}, "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "all", "then": "allow"},
        ],
    }))
}

#[test]
fn a_grant_that_ends_while_a_person_is_waited_for_lets_nothing_pass() {
    for ends in [false, true] {
        let compiled = gated_twice();
        let grants = json!([grant(&compiled, &json!({}))]);
        says(&compiled, now(), &grants, &json!([]));
        let (mut exchange, outcome) = embeds(&compiled, "m");
        let second = ask(&outcome);
        if ends {
            says(&compiled, now(), &json!([]), &json!([]));
        }
        let outcome = exchange.decided(&second, &decision("apr_2", "approved"));
        assert_eq!(asks(&outcome), ends, "{outcome:?}");
        if ends {
            let first: Value = serde_json::from_slice(&ask(&outcome).question).unwrap();
            assert_eq!(first["rule"], "gate");
        } else {
            // The same while the approval is claimed.
            let claim = call(&outcome);
            says(&compiled, now(), &json!([]), &json!([]));
            let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &second))));
            assert_eq!(code(&outcome), "approval_gone");
            assert_eq!(posts(&outcome).len(), 1, "the claim goes back");
        }
    }
}

#[test]
fn a_grant_is_for_one_model_only() {
    let compiled = usual();
    let grants = json!([grant(&compiled, &json!({}))]);
    says(&compiled, now(), &grants, &json!([]));
    let mut exchange = Driven::new(&compiled);
    let json = [("content-type", "application/json")];
    exchange.head("POST", "/v1/embeddings", &json, false);
    let outcome = exchange.whole(r#"{"model":"m","input":"a","fallbacks":["large-1"]}"#);
    let question: Value = serde_json::from_slice(&ask(&outcome).question).unwrap();
    assert_eq!(question["other_models"], json!(["large-1"]));
}

#[test]
fn a_grant_for_any_model_covers_several() {
    let compiled = usual();
    let any = json!({"model": null, "models": "any", "subject": null, "group": "engineers"});
    let grants = json!([grant(&compiled, &any)]);
    says(&compiled, now(), &grants, &json!([]));
    for body in [
        r#"{"model":"m","input":"a","fallbacks":["large-1"]}"#,
        r#"{"model":"n","input":"a"}"#,
        r#"{"input":"a"}"#,
    ] {
        let mut exchange = Driven::new(&compiled);
        let json = [("content-type", "application/json")];
        exchange.head("POST", "/v1/embeddings", &json, false);
        assert_eq!(exchange.whole(body).flow, Flow::Continue, "{body}");
    }
}

#[test]
fn an_empty_model_is_asked_about_as_none() {
    let (_, outcome) = embeds(&usual(), "");
    let question: Value = serde_json::from_slice(&ask(&outcome).question).unwrap();
    assert_eq!(question["model"], Value::Null);
    // A grant for requests that name none covers it.
    let compiled = usual();
    let none = json!([grant(&compiled, &json!({"model": null}))]);
    says(&compiled, now(), &none, &json!([]));
    assert_eq!(embeds(&compiled, "").1.flow, Flow::Continue);
}

#[test]
fn who_decides_sees_all_models_that_a_request_names() {
    let named = |count: usize, length: usize| {
        let names: Vec<String> = (0..count)
            .map(|number| format!("model={number:0>length$}"))
            .collect();
        let mut exchange = Driven::new(&usual());
        let path = format!("/v1/embeddings?{}", names.join("&"));
        let json = [("content-type", "application/json")];
        let head = exchange.head("POST", &path, &json, false);
        assert_eq!(head.flow, Flow::Hold);
        exchange.whole(r#"{"model":"m","input":"a"}"#)
    };
    let question: Value = serde_json::from_slice(&ask(&named(64, 3)).question).unwrap();
    assert_eq!(question["other_models"].as_array().unwrap().len(), 64);
    for (count, length) in [(65, 3), (5, 4000)] {
        let outcome = named(count, length);
        assert_eq!(reply(&outcome).status, 400, "{count}");
        assert!(reply(&outcome).body.contains("too many models"));
    }
}

#[test]
fn a_block_that_comes_while_an_approval_is_claimed_refuses_the_request_and_gives_it_back() {
    let compiled = usual();
    let (mut exchange, outcome) = embeds(&compiled, "m");
    let question = ask(&outcome);
    let claim = call(&exchange.decided(&question, &decision("apr_1", "approved")));
    let blocks =
        json!([{"id": "blk_9", "issuer": "https://idp", "subject": "jane", "reason": "left"}]);
    says(&compiled, now(), &json!([]), &blocks);
    let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &question))));
    assert_eq!(code(&outcome), "blocked");
    let posts = posts(&outcome);
    assert_eq!(posts[0].0, "/v1/approvals/apr_1/give_back");
    assert_eq!(exchange.record()["approvals"][0]["given_back"], true);
}

#[test]
fn a_clock_that_was_put_back_does_not_say_that_the_desk_was_heard() {
    let strict = gated(&json!({"cluster": "desk", "blocks": {"on_failure": "deny"}}));
    says(
        &strict,
        now() + Duration::from_secs(3600),
        &json!([]),
        &json!([]),
    );
    let outcome = Driven::new(&strict).head("GET", "/v1/models", &[], true);
    assert_eq!(code(&outcome), "blocks_unknown");
}
