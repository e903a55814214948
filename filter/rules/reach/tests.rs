use base::operation::Model;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Reach, reach};
use crate::rules::tests::{Jane, policy};
use crate::rules::{Body, Decision, decide};

fn depends(keys: &[&str]) -> Reach {
    Reach::Depends(keys.iter().map(ToString::to_string).collect())
}

fn unmet(keys: &[&str]) -> Reach {
    Reach::Unmet(keys.iter().map(ToString::to_string).collect())
}

/// How a condition stands to Jane, an engineer of the tenant red, with the client web.
fn of(when: &Value) -> Reach {
    let policy = policy(&json!([{"name": "one", "when": when, "then": "deny"}]));
    let jane = Jane::new(&["engineers"]);
    reach(&policy.rules, jane.known()).remove(0)
}

#[test]
fn conditions_on_the_caller_are_judged() {
    for (when, expected) in [
        (json!({"provider": ["corp"]}), Reach::Applies),
        (
            json!({"subject": ["ja*"], "group": ["eng*"]}),
            Reach::Applies,
        ),
        (
            json!({"subject": ["bob"], "group": ["eng*"]}),
            unmet(&["subject"]),
        ),
        (
            json!({"subject": ["bob"], "group": ["ops"]}),
            unmet(&["subject", "group"]),
        ),
        (
            json!({"client": ["web"], "kind": ["person"]}),
            Reach::Applies,
        ),
        (json!({"client": ["cli-*"]}), unmet(&["client"])),
        (json!({"kind": ["service"]}), unmet(&["kind"])),
        (json!({"claim": {"tenant": ["red"]}}), Reach::Applies),
        (json!({"claim": {"tenant": ["blue"]}}), unmet(&["claim"])),
    ] {
        assert_eq!(of(&when), expected, "{when}");
    }
}

#[test]
fn what_nobody_has_a_name_for_goes_past_rules_that_allow() {
    let policy = policy(&json!([
        {"name": "one", "then": "allow"},
        {"name": "two", "when": {"operation": ["unknown"]}, "then": "allow"},
        {"name": "three", "then": "deny"},
        {"name": "four", "then": "deny"},
    ]));
    let jane = Jane::new(&["engineers"]);
    let open = || depends(&["operation"]);
    assert_eq!(
        reach(&policy.rules, jane.known()),
        [open(), open(), Reach::Applies, Reach::Behind(2)]
    );
}

#[test]
fn conditions_on_the_request_are_open() {
    for (when, expected) in [
        (
            json!({"operation": ["inference.*"]}),
            depends(&["operation"]),
        ),
        (
            json!({"group": ["engineers"], "method": ["GET"], "host": ["a"], "path": ["/b"],
                "model": ["c"], "prompt": ["probe"], "items": {"over": 3}}),
            depends(&["method", "host", "path", "model", "prompt", "items"]),
        ),
        (json!({"group": ["ops"], "model": ["c"]}), unmet(&["group"])),
    ] {
        assert_eq!(of(&when), expected, "{when}");
    }
}

#[test]
fn what_must_not_hold_is_judged_too() {
    for (when, expected) in [
        (
            json!({"not": {"group": ["engineers"]}}),
            unmet(&["not group"]),
        ),
        (json!({"not": {"group": ["ops"]}}), Reach::Applies),
        (json!({"not": {"model": ["big"]}}), depends(&["not model"])),
        (
            json!({"not": {"group": ["ops"], "model": ["big"]}}),
            Reach::Applies,
        ),
        (
            json!({"path": ["/v1/*"], "not": {"group": ["engineers"], "model": ["big"]}}),
            depends(&["path", "not model"]),
        ),
        (
            json!({"path": ["/v1/*"], "not": {"group": ["engineers"]}}),
            unmet(&["not group"]),
        ),
        (
            json!({"not": {"kind": ["person"], "not": {"group": ["ops"]}}}),
            unmet(&["not kind"]),
        ),
        (
            json!({"not": {"kind": ["person"], "not": {"group": ["engineers"]}}}),
            Reach::Applies,
        ),
    ] {
        assert_eq!(of(&when), expected, "{when}");
    }
}

#[test]
fn nothing_is_tried_behind_a_rule_that_decides_all() {
    let policy = policy(&json!([
        {"name": "ask", "when": {"group": ["engineers"]},
         "then": {"approve": {"reviewers": ["leads"]}}},
        {"name": "some", "when": {"operation": ["model.list"]}, "then": "allow"},
        {"name": "all", "when": {"kind": ["person"]}, "then": "deny"},
        {"name": "late", "then": "allow"},
    ]));
    let jane = Jane::new(&["engineers"]);
    let expected = [
        Reach::Applies,
        depends(&["operation"]),
        Reach::Applies,
        Reach::Behind(2),
    ];
    assert_eq!(reach(&policy.rules, jane.known()), expected);
}

fn condition() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"group": ["engineers"]})),
        Just(json!({"group": ["ops"]})),
        Just(json!({"subject": ["jane"]})),
        Just(json!({"kind": ["service"]})),
        Just(json!({"claim": {"tenant": ["red"]}})),
        Just(json!({"operation": ["inference.*"]})),
        Just(json!({"model": ["small-*"]})),
        Just(json!({"items": {"over": 2}, "client": ["web"]})),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), inner).prop_map(|(mut outer, inner)| {
            outer["not"] = inner;
            outer
        })
    })
}

fn rules() -> impl Strategy<Value = Vec<(Value, Value)>> {
    let then = prop_oneof![
        Just(json!("allow")),
        Just(json!("deny")),
        Just(json!({"approve": {"reviewers": ["leads"]}})),
    ];
    proptest::collection::vec((condition(), then), 1..5)
}

proptest! {
    /// What is said of a caller holds for each of its requests.
    #[test]
    fn reach_agrees_with_decisions(
        rules in rules(),
        engineer in any::<bool>(),
        operation in prop_oneof![Just("inference.chat"), Just("model.list"), Just("unknown")],
        model in prop_oneof![
            Just(Model::Nothing),
            Just(Model::Unnamed),
            Just(Model::Named("small-1".to_owned())),
            Just(Model::Named("big".to_owned())),
        ],
        items in prop::option::of(1_u64..4),
        unread in any::<bool>(),
    ) {
        let rules: Vec<Value> = rules
            .iter()
            .enumerate()
            .map(|(index, (when, then))| json!({"name": index.to_string(), "when": when, "then": then}))
            .collect();
        let policy = policy(&json!(rules));
        let jane = Jane::new(if engineer { &["engineers"] } else { &[] });
        let reaches = reach(&policy.rules, jane.known());
        let prompts = crate::rules::Prompts::default();
        let body = Body { others: &[], model: &model, items, prompts: &prompts, unread };
        let request = jane.asks(operation, Some(body));
        for first in 0..rules.len() {
            let decision = decide(&policy.rules, first, &request, &mut |_, _| ());
            let by = match decision {
                Decision::Allow(index) | Decision::Approve(index) => Some(index),
                Decision::Deny(index) => index,
                Decision::NeedsBody => None,
            };
            if let Some(index) = by {
                prop_assert!(!matches!(reaches[index], Reach::Unmet(_)), "{reaches:?} {decision:?}");
            }
            if reaches[first] == Reach::Applies {
                prop_assert_eq!(by, Some(first));
            }
        }
        // From the start, and on behind each approval.
        let mut next = 0;
        loop {
            match decide(&policy.rules, next, &request, &mut |_, _| ()) {
                Decision::Approve(index) => {
                    prop_assert!(!matches!(reaches[index], Reach::Behind(_)));
                    next = index + 1;
                }
                Decision::Allow(index) | Decision::Deny(Some(index)) => {
                    prop_assert!(!matches!(reaches[index], Reach::Behind(_)));
                    break;
                }
                _ => break,
            }
        }
    }
}
