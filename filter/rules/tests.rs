use std::collections::BTreeMap;

use serde_json::{Value, json};

use base::identity::{Identity, Kind};
use base::operation::Model;

use super::{
    Body, Decision, Head, PromptSearch, Prompts, Request, SentHeader, decide, headers_of,
    patterns_of,
};
use crate::policy::{self, Policy};

pub(super) fn policy(rules: &Value) -> Policy {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{"name": "corp", "issuer": "i", "audiences": ["a"],
            "claims": {"tenant": "org"}, "keys": {"jwks": {"keys": []}}}]},
        "patterns": {"probe": {"any_of": ["(?i)environment variables"]}},
        "approvals": {"cluster": "desk"},
        "rules": rules,
    });
    policy::load(&policy.to_string(), &|_| None).unwrap()
}

pub(super) struct Jane(Identity);

impl Jane {
    pub(super) fn new(groups: &[&str]) -> Self {
        Self(Identity {
            provider: "corp".to_owned(),
            issuer: "https://idp".to_owned(),
            subject: "jane".to_owned(),
            groups: groups.iter().map(ToString::to_string).collect(),
            client: Some("web".to_owned()),
            token: None,
            email: None,
            expires: core::time::Duration::ZERO,
            kind: Kind::Person,
            claims: BTreeMap::from([("tenant".to_owned(), vec!["red".to_owned()])]),
        })
    }

    pub(super) fn known(&self) -> &Identity {
        &self.0
    }

    pub(super) fn asks<'a>(&'a self, operation: &'a str, body: Option<Body<'a>>) -> Request<'a> {
        Request {
            caller: self.known(),
            head: Head {
                method: "POST",
                host: "models.local",
                path: "/v1/x",
                operation: Some(operation),
                headers: &[],
            },
            body,
        }
    }
}

fn decided(policy: &Policy, first: usize, request: &Request<'_>) -> Decision {
    decide(&policy.rules, first, request, &mut |_, _| ())
}

#[test]
fn the_first_rule_that_applies_decides_and_none_is_a_denial() {
    let policy = policy(&json!([
        {"name": "no", "when": {"operation": ["model.export"], "not": {"group": ["release"]}}, "then": "deny"},
        {"name": "yes", "when": {"group": ["engineers", "release"]}, "then": "allow"},
    ]));
    let engineer = Jane::new(&["engineers"]);
    let releaser = Jane::new(&["release"]);
    let nobody = Jane::new(&[]);
    assert_eq!(
        decided(&policy, 0, &engineer.asks("inference.chat", None)),
        Decision::Allow(1)
    );
    assert_eq!(
        decided(&policy, 0, &engineer.asks("model.export", None)),
        Decision::Deny(Some(0))
    );
    assert_eq!(
        decided(&policy, 0, &releaser.asks("model.export", None)),
        Decision::Allow(1)
    );
    assert_eq!(
        decided(&policy, 0, &nobody.asks("inference.chat", None)),
        Decision::Deny(None)
    );
}

#[test]
fn a_body_is_asked_for_only_when_it_matters() {
    let policy = policy(&json!([
        {"name": "probe", "when": {"prompt": ["probe"], "operation": ["inference.*"]}, "then": "deny"},
        {"name": "all", "then": "allow"},
    ]));
    let caller = Jane::new(&[]);
    assert_eq!(
        decided(&policy, 0, &caller.asks("model.list", None)),
        Decision::Allow(1)
    );
    assert_eq!(
        decided(&policy, 0, &caller.asks("inference.chat", None)),
        Decision::NeedsBody
    );
    let with = |text: &str| {
        let mut search = PromptSearch::new(patterns_of(&policy.rules, 0), &policy.patterns);
        search.look(text.as_bytes());
        let prompts = search.end();
        let body = Body {
            others: &[],
            model: &Model::Nothing,
            items: Some(1),
            prompts: &prompts,
            unread: false,
        };
        decided(&policy, 0, &caller.asks("inference.chat", Some(body)))
    };
    assert_eq!(with("print ENVIRONMENT variables"), Decision::Deny(Some(0)));
    assert_eq!(with("hello"), Decision::Allow(1));
}

#[test]
fn only_patterns_that_later_rules_ask_for_are_looked_for() {
    let policy = policy(&json!([
        {"name": "first", "when": {"prompt": ["probe"]}, "then": {"approve": {"reviewers": ["leads"]}}},
        {"name": "second", "when": {"not": {"not": {"prompt": ["probe"]}}}, "then": "deny"},
        {"name": "all", "then": "allow"},
    ]));
    for (first, fits) in [(0, true), (1, true), (2, false)] {
        let mut search = PromptSearch::new(patterns_of(&policy.rules, first), &policy.patterns);
        search.look(b"show environment variables");
        search.look(b"hello");
        assert_eq!(search.end().fit(0), fits, "from rule {first}");
    }
}

#[test]
fn a_negated_condition_on_an_unread_body_is_unknown_too() {
    let policy = policy(&json!([
        {"name": "big", "when": {"not": {"model": ["small-*"]}}, "then": "deny"},
        {"name": "all", "then": "allow"},
    ]));
    let caller = Jane::new(&[]);
    assert_eq!(
        decided(&policy, 0, &caller.asks("inference.chat", None)),
        Decision::NeedsBody
    );
    for (model, decision) in [
        (Model::Named("small-1".to_owned()), Decision::Allow(1)),
        (Model::Named("large".to_owned()), Decision::Deny(Some(0))),
        (Model::Unnamed, Decision::Deny(Some(0))),
        (Model::Nothing, Decision::Deny(Some(0))),
    ] {
        let body = Body {
            others: &[],
            model: &model,
            items: Some(1),
            prompts: &Prompts::default(),
            unread: false,
        };
        assert_eq!(
            decided(&policy, 0, &caller.asks("inference.chat", Some(body))),
            decision
        );
    }
}

#[test]
fn approval_is_a_gate_before_the_rules_behind_it() {
    let policy = policy(&json!([
        {"name": "bulk", "when": {"items": {"over": 4}}, "then": {"approve": {"reviewers": ["leads"]}}},
        {"name": "people", "when": {"group": ["engineers"]}, "then": "allow"},
    ]));
    let caller = Jane::new(&[]);
    let body = Body {
        others: &[],
        model: &Model::Nothing,
        items: Some(5),
        prompts: &Prompts::default(),
        unread: false,
    };
    let request = caller.asks("embedding.create", Some(body));
    assert_eq!(decided(&policy, 0, &request), Decision::Approve(0));
    assert_eq!(decided(&policy, 1, &request), Decision::Deny(None));
}

#[test]
fn every_head_condition_must_hold() {
    let caller = Jane::new(&["engineers"]);
    for (condition, holds) in [
        (json!({"provider": ["corp"]}), true),
        (json!({"subject": ["ja*"]}), true),
        (json!({"subject": ["bob"]}), false),
        (json!({"claim": {"tenant": ["red", "blue"]}}), true),
        (json!({"claim": {"tenant": ["blue"]}}), false),
        (json!({"method": ["post"]}), true),
        (json!({"method": ["get"]}), false),
        (json!({"host": ["*.LOCAL"]}), true),
        (json!({"path": ["/v1/*"]}), true),
        (json!({"path": [{"regex": "^/v2"}]}), false),
        (
            json!({"path": [{"regex": "^/v1"}], "group": ["ops"]}),
            false,
        ),
    ] {
        let policy = policy(&json!([{"name": "one", "when": condition, "then": "allow"}]));
        let decision = decided(&policy, 0, &caller.asks("inference.chat", None));
        assert_eq!(decision == Decision::Allow(0), holds, "{condition}");
    }
}

#[test]
fn a_header_must_be_there_with_a_value_that_fits() {
    let policy = policy(&json!([
        {"name": "no", "when": {"header": {"X-Team": ["red", "blue-*"]}}, "then": "deny"},
        {"name": "ask", "when": {"header": {"x-cost": ["high"]}},
            "then": {"approve": {"reviewers": ["leads"]}}},
        {"name": "yes", "when": {"header": {"x-plan": ["*"]}}, "then": "allow"},
    ]));
    assert_eq!(headers_of(&policy.rules), ["x-cost", "x-plan", "x-team"]);
    let jane = Jane::new(&[]);
    let prompts = Prompts::default();
    let body = Body {
        others: &[],
        model: &Model::Nothing,
        items: Some(1),
        prompts: &prompts,
        unread: false,
    };
    for (sent, decision) in [
        (vec![("x-plan", vec!["gold"])], Decision::Allow(2)),
        (vec![], Decision::Deny(None)),
        (
            vec![("x-plan", vec!["gold"]), ("x-team", vec!["green"])],
            Decision::Allow(2),
        ),
        (
            vec![("x-plan", vec!["gold"]), ("x-team", vec!["blue-2"])],
            Decision::Deny(Some(0)),
        ),
        // Whoever sends one value that fits and one that doesn't slips past nothing.
        (
            vec![("x-plan", vec!["gold"]), ("x-team", vec!["green", "red"])],
            Decision::Deny(Some(0)),
        ),
        (
            vec![("x-plan", vec!["gold"]), ("x-team", vec!["green, red"])],
            Decision::Deny(Some(0)),
        ),
        (
            vec![("x-plan", vec!["gold"]), ("x-cost", vec!["low", "high"])],
            Decision::Approve(1),
        ),
    ] {
        let headers: Vec<SentHeader> = sent
            .iter()
            .map(|(name, values)| SentHeader {
                name: (*name).to_owned(),
                values: values.iter().map(ToString::to_string).collect(),
            })
            .collect();
        let mut request = jane.asks("inference.chat", Some(body));
        request.head.headers = &headers;
        assert_eq!(decided(&policy, 0, &request), decision, "{sent:?}");
    }
    let narrow = self::policy(&json!([
        {"name": "yes", "when": {"header": {"x-plan": ["gold"]}}, "then": "allow"},
    ]));
    let headers = [SentHeader {
        name: "x-plan".to_owned(),
        values: vec!["gold".to_owned(), "free".to_owned()],
    }];
    let mut request = jane.asks("inference.chat", Some(body));
    request.head.headers = &headers;
    assert_eq!(decided(&narrow, 0, &request), Decision::Deny(None));
}

/// What the rules decide of a body.
fn decided_on(rules: &serde_json::Value, body: Body<'_>) -> Decision {
    decided(
        &policy(rules),
        0,
        &Jane::new(&[]).asks("inference.chat", Some(body)),
    )
}

#[test]
fn what_the_body_does_not_tell_never_helps_its_sender() {
    let prompts = Prompts(vec![false]);
    let unknown = Body {
        others: &[],
        model: &Model::Unnamed,
        items: None,
        prompts: &prompts,
        unread: true,
    };
    for condition in [
        json!({"model": ["secret-*"]}),
        json!({"items": {"over": 256}}),
        json!({"prompt": ["probe"]}),
    ] {
        for when in [condition.clone(), json!({"not": condition})] {
            let deny = json!([
                {"name": "no", "when": when, "then": "deny"},
                {"name": "all", "then": "allow"},
            ]);
            assert_eq!(
                decided_on(&deny, unknown),
                Decision::Deny(Some(0)),
                "{when}"
            );
            let ask = json!([
                {"name": "ask", "when": when, "then": {"approve": {"reviewers": ["leads"]}}},
                {"name": "all", "then": "allow"},
            ]);
            assert_eq!(decided_on(&ask, unknown), Decision::Approve(0), "{when}");
            let allow = json!([{"name": "some", "when": when, "then": "allow"}]);
            assert_eq!(decided_on(&allow, unknown), Decision::Deny(None), "{when}");
        }
    }
}

#[test]
fn a_request_about_no_model_is_no_business_of_rules_on_models() {
    let prompts = Prompts::default();
    let none = Body {
        others: &[],
        model: &Model::Nothing,
        items: Some(1),
        prompts: &prompts,
        unread: false,
    };
    let rules = json!([
        {"name": "no", "when": {"model": ["secret-*"]}, "then": "deny"},
        {"name": "all", "then": "allow"},
    ]);
    assert_eq!(decided_on(&rules, none), Decision::Allow(1));
    let rules = json!([{"name": "some", "when": {"model": ["*"]}, "then": "allow"}]);
    assert_eq!(decided_on(&rules, none), Decision::Deny(None));
}

#[test]
fn what_nobody_has_a_name_for_is_allowed_by_that_name_only() {
    let jane = Jane::new(&[]);
    for (when, covers) in [
        (json!(null), false),
        (json!({"method": ["POST"]}), false),
        (json!({"operation": ["*"]}), false),
        (json!({"operation": ["un*"]}), false),
        (json!({"operation": ["inference.*", "unknown"]}), true),
        (json!({"not": {"operation": ["unknown"]}}), false),
    ] {
        let mut rule = json!({"name": "one", "then": "allow"});
        if !when.is_null() {
            rule["when"] = when.clone();
        }
        let policy = policy(&json!([rule]));
        let decision = decided(&policy, 0, &jane.asks("unknown", None));
        assert_eq!(decision == Decision::Allow(0), covers, "{when}");
    }
    // Rules that deny or ask cover it in any case.
    let policy = policy(&json!([{"name": "no", "then": "deny"}]));
    assert_eq!(
        decided(&policy, 0, &jane.asks("unknown", None)),
        Decision::Deny(Some(0))
    );
}
