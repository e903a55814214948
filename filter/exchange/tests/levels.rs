//! What answers say of quotas.

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, compiled, reply, token};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};
use crate::testing::Memory;

/// Exchanges of one Envoy, all of which are charged with these quotas.
struct Envoy {
    compiled: Rc<CompiledPolicy>,
    store: Rc<Memory>,
}

impl Envoy {
    fn of(quotas: &Value) -> Self {
        let names: Vec<&String> = quotas.as_object().unwrap().keys().collect();
        Self::with(&json!({
            "quotas": quotas,
            "rules": [{"name": "all", "then": "allow", "quota": names}],
        }))
    }

    fn with(sections: &Value) -> Self {
        let compiled = compiled(sections);
        let store = Driven::new(&compiled).store;
        Self { compiled, store }
    }

    fn list(&self) -> (Driven, Outcome) {
        let mut exchange = Driven::alone(&self.compiled);
        exchange.store = Rc::clone(&self.store);
        let bearer = format!("Bearer {}", token("jane", &[]));
        let outcome = exchange.head("GET", "/v1/models", &[("authorization", &bearer)], true);
        (exchange, outcome)
    }

    fn embed(&self, inputs: usize) -> (Driven, Outcome) {
        let mut exchange = Driven::alone(&self.compiled);
        exchange.store = Rc::clone(&self.store);
        let bearer = format!("Bearer {}", token("jane", &[]));
        let headers = [
            ("content-type", "application/json"),
            ("authorization", bearer.as_str()),
        ];
        let head = exchange.head("POST", "/v1/embeddings", &headers, false);
        assert_eq!(head.flow, Flow::Hold);
        let outcome =
            exchange.whole(&json!({"model": "m", "input": vec!["x"; inputs]}).to_string());
        (exchange, outcome)
    }

    /// What an answer of the model server goes with.
    fn answer(&self) -> Vec<(String, String)> {
        let (mut exchange, passed) = self.list();
        assert_eq!(passed.flow, Flow::Continue);
        set(&respond(&mut exchange))
    }

    fn refused(&self) -> Vec<(String, String)> {
        told(&self.list().1)
    }
}

fn respond(exchange: &mut Driven) -> Outcome {
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &bytes(&[(":status", "200"), ("ratelimit", "\"server\";r=1;t=1")]),
        end: true,
    })
}

fn set(outcome: &Outcome) -> Vec<(String, String)> {
    let headers = outcome.effects.iter().filter_map(|effect| match effect {
        Effect::SetResponseHeader { name, value } => {
            Some((name.clone(), String::from_utf8(value.clone()).unwrap()))
        }
        _ => None,
    });
    headers.collect()
}

/// What a refusal tells of quotas and of trying again.
fn told(outcome: &Outcome) -> Vec<(String, String)> {
    let headers = reply(outcome).headers.iter().filter(|(name, _)| {
        name.contains("ratelimit") || *name == "retry-after" || *name == "x-should-retry"
    });
    headers
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn each_answer_says_what_is_left_of_its_quotas() {
    let envoy = Envoy::of(&json!({
        "few": {"by": ["subject"], "count": "requests", "limit": 2, "per": "1m"},
        "many": {"by": ["subject"], "count": "requests", "limit": 500, "per": "day"},
        "once": {"by": ["subject"], "count": "in_flight", "limit": 8},
    }));
    let first = envoy.answer();
    let policies = "\"few\";q=2;w=60;qu=\"requests\", \"many\";q=500;w=86400;qu=\"requests\", \"once\";q=8;qu=\"concurrent-requests\"";
    let expected = [
        ("ratelimit-policy", policies),
        (
            "ratelimit",
            "\"few\";r=1;t=60, \"many\";r=499;t=57600, \"once\";r=7",
        ),
        ("x-ratelimit-limit-requests", "2"),
        ("x-ratelimit-remaining-requests", "1"),
        ("x-ratelimit-reset-requests", "1m0s"),
    ];
    assert_eq!(first, pairs(&expected));
    let second = envoy.answer();
    assert_eq!(second[3].1, "0");
    // The first exchange is over.
    assert!(second[1].1.ends_with("\"once\";r=7"), "{second:?}");
}

#[test]
fn a_refusal_says_when_the_same_can_go() {
    let envoy = Envoy::of(&json!({
        "few": {"by": ["subject"], "count": "requests", "limit": 1, "per": "30s"},
    }));
    envoy.answer();
    let expected = [
        ("retry-after", "30"),
        ("ratelimit-policy", "\"few\";q=1;w=30;qu=\"requests\""),
        ("ratelimit", "\"few\";r=0;t=30"),
        ("x-ratelimit-limit-requests", "1"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "30s"),
    ];
    assert_eq!(envoy.refused(), pairs(&expected));
}

#[test]
fn who_would_wait_for_long_or_in_vain_is_told_not_to_try_again() {
    for (per, expected) in [("1m", None), ("65s", Some("false")), ("31d", Some("false"))] {
        let quota = json!({"by": ["subject"], "count": "requests", "limit": 1, "per": per});
        let envoy = Envoy::of(&json!({"few": quota}));
        envoy.answer();
        let refused = envoy.refused();
        let mut again = refused.iter().filter(|(name, _)| name == "x-should-retry");
        assert_eq!(
            again.next().map(|(_, value)| value.as_str()),
            expected,
            "{per}"
        );
    }
    let items = json!({"by": ["subject"], "count": "items", "limit": 2, "per": "2s"});
    let envoy = Envoy::of(&json!({"items": items}));
    let expected = [
        ("x-should-retry", "false"),
        ("ratelimit-policy", "\"items\";q=2;w=2;qu=\"items\""),
    ];
    assert_eq!(told(&envoy.embed(3).1), pairs(&expected));
}

#[test]
fn a_refusal_says_how_much_there_is_for_those_who_ask_for_less() {
    let items = json!({"by": ["subject"], "count": "items", "limit": 5, "per": "10s"});
    let envoy = Envoy::of(&json!({"items": items}));
    assert_eq!(envoy.embed(2).1.flow, Flow::Continue);
    let refused = told(&envoy.embed(4).1);
    assert!(refused[2].1.starts_with("\"items\";r=3;t="), "{refused:?}");
    // No client of OpenAI's reads a name for items.
    assert_eq!(refused.len(), 3, "{refused:?}");
}

#[test]
fn refusals_of_answers_say_it_too() {
    let envoy = Envoy::with(&json!({
        "quotas": {"few": {"by": ["subject"], "count": "requests", "limit": 9, "per": "10s"}},
        "masks": {"m": {"detect": [{"is": "email", "action": "cut"}]}},
        "rules": [{"name": "all", "then": "allow", "quota": ["few"], "mask": ["m"]}],
    }));
    let (mut exchange, _) = envoy.list();
    let refused = exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &bytes(&[
            (":status", "200"),
            ("content-type", "application/json"),
            ("content-encoding", "unheard-of"),
        ]),
        end: false,
    });
    assert!(
        told(&refused)[1].1.starts_with("\"few\";r=8;t="),
        "{refused:?}"
    );
    assert_eq!(set(&refused), []);
}

#[test]
fn nothing_is_said_of_a_quota_that_the_policy_keeps_to_itself() {
    let quota = |fields: bool| json!({"by": ["subject"], "count": "requests", "limit": 9, "per": "10s", "fields": fields});
    let envoy = Envoy::of(&json!({"a": quota(false), "b": quota(true)}));
    let answer = envoy.answer();
    assert!(answer[1].1.starts_with("\"b\";r=8;"), "{answer:?}");
    assert_eq!(Envoy::of(&json!({"a": quota(false)})).answer(), []);
}

#[test]
fn of_many_quotas_those_are_told_of_which_the_least_is_left() {
    let quota = |limit: usize| json!({"by": ["subject"], "count": "requests", "limit": limit, "per": "10s"});
    let quotas: serde_json::Map<String, Value> = (0..20)
        .map(|n| (format!("q{n:02}"), quota(100 - n)))
        .collect();
    let answer = Envoy::of(&quotas.into()).answer();
    assert_eq!(answer[0].1.matches(";q=").count(), 8);
    assert_eq!(answer[2].1, "81", "{answer:?}");
    assert!(answer.iter().all(|(_, value)| value.len() < 1024));
}

#[test]
fn what_time_is_left_is_that_at_which_the_answer_goes() {
    let quota = json!({"by": ["subject"], "count": "requests", "limit": 9, "per": "10s"});
    let envoy = Envoy::of(&json!({"few": quota}));
    let (mut exchange, _) = envoy.list();
    exchange.now += Duration::from_secs(4);
    let later = set(&respond(&mut exchange));
    let (mut exchange, _) = envoy.list();
    let sooner = set(&respond(&mut exchange));
    let seconds = |fields: &[(String, String)]| {
        let (_, time) = fields[1].1.split_once(";t=").unwrap();
        time.parse::<u64>().unwrap()
    };
    assert_eq!(seconds(&later) + 4, seconds(&sooner));
}
