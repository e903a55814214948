//! What the policy may say.

use core::time::Duration;

use serde_json::{Value, json};

use crate::policy::load;
use crate::quota::{Dimension, Measure, Period, Quota, Span, Window};

fn read(quota: &Value) -> Result<Quota, String> {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": []}},
            "claims": {"groups": "groups", "tier": "tier"},
        }]},
        "quotas": {"q": quota},
        "rules": [{"name": "all", "then": "allow", "quota": ["q"]}],
    });
    match load(&policy.to_string(), &|_| None) {
        Ok(mut policy) => Ok(policy.quotas.remove(0)),
        Err(problems) => Err(problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")),
    }
}

fn with(more: &Value) -> Value {
    let mut quota = json!({"by": ["subject"], "count": "requests", "limit": 5});
    quota
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    quota
}

#[test]
fn windows_are_durations_or_of_the_calendar_or_leak() {
    let span = |more: &Value| read(&with(more)).unwrap().span;
    let window = |more: &Value| match span(more) {
        Span::Window(window) => window,
        Span::Now { .. } => panic!("{more}"),
    };
    let sliding = Window::Sliding {
        per: 60_000,
        most: 9,
    };
    let limits = json!([{"group": ["a"], "limit": 9}]);
    assert_eq!(window(&json!({"per": "1m", "limits": limits})), sliding);
    let odd = window(&json!({"per": "1000ms"}));
    assert_eq!(odd, Window::Sliding { per: 1000, most: 5 });
    for (per, period) in [
        ("hour", Period::Hour),
        ("day", Period::Day),
        ("week", Period::Week),
        ("month", Period::Month),
    ] {
        assert_eq!(window(&json!({"per": per})), Window::Calendar(period));
    }
    let bucket = Window::Bucket {
        per: 60_000,
        burst: 3,
    };
    assert_eq!(window(&json!({"per": "1m", "burst": 3})), bucket);
    let now = span(&json!({"count": "in_flight"}));
    let lease = Duration::from_secs(30);
    assert_eq!(now, Span::Now { lease });
}

#[test]
fn another_span_makes_other_counts() {
    let ids: Vec<String> = ["1m", "2m", "hour", "day"]
        .iter()
        .map(|per| read(&with(&json!({"per": per}))).unwrap().id)
        .chain([
            read(&with(&json!({"per": "1m", "burst": 1}))).unwrap().id,
            read(&with(&json!({"count": "in_flight"}))).unwrap().id,
        ])
        .collect();
    for (place, id) in ids.iter().enumerate() {
        assert!(!ids[..place].contains(id), "{ids:?}");
    }
    let other_limit = read(&with(&json!({"per": "1m", "limit": 9}))).unwrap();
    assert_eq!(other_limit.id, ids[0], "what was taken stays taken");
}

#[test]
fn all_that_is_counted_apart_is_known() {
    let quota = read(&json!({
        "by": ["subject", "provider", "group", "model", "operation", "address", "claim:tier", "constant:a:b"],
        "groups": ["a", "b"],
        "count": "response_bytes", "limit": 5, "per": "day",
        "weights": [{"model": ["large-*"], "weight": 10}],
    }))
    .unwrap();
    assert_eq!(quota.count, Measure::ResponseBytes);
    assert_eq!(quota.by.len(), 8);
    assert_eq!(quota.by[6], Dimension::Claim("tier".to_owned()));
    assert_eq!(quota.by[7], Dimension::Constant("a:b".to_owned()));
    assert_eq!(quota.weight_of(Some("large-1")), 10);
    assert_eq!(quota.weight_of(Some("small-1")), 1);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for (more, path, words) in [
        (json!({}), "/quotas/q: ", "\"per\""),
        (json!({"per": "500ms"}), "/quotas/q/per: ", "from 1s to 31d"),
        (json!({"per": "year"}), "/quotas/q/per: ", "\"month\""),
        (
            json!({"per": "day", "burst": 3}),
            "/quotas/q/burst: ",
            "calendar",
        ),
        (json!({"per": "1m", "burst": 0}), "/quotas/q/burst: ", "1"),
        (
            json!({"per": "1m", "count": "in_flight"}),
            "/quotas/q/per: ",
            "at once",
        ),
        (
            json!({"per": "1m", "lease": "1m"}),
            "/quotas/q/lease: ",
            "in flight",
        ),
        (
            json!({"per": "1m", "count": "tokens"}),
            "/quotas/q/count: ",
            "tokens",
        ),
        (
            json!({"per": "1m", "by": ["group"]}),
            "/quotas/q: ",
            "\"groups\"",
        ),
        (
            json!({"per": "1m", "groups": ["a"]}),
            "/quotas/q/groups: ",
            "\"group\"",
        ),
        (
            json!({"per": "1m", "by": ["claim:"]}),
            "/quotas/q/by/0: ",
            "claim:NAME",
        ),
        (
            json!({"per": "1m", "by": ["claim:x"]}),
            "/quotas/q/by/0: ",
            "no provider defines",
        ),
        (
            json!({"per": "1m", "limits": [{"claim": {"x": ["a"]}, "limit": 1}]}),
            "/quotas/q/limits/0/claim/x: ",
            "no provider defines",
        ),
        (
            json!({"per": "1m", "limits": [{"limit": 1}]}),
            "/quotas/q/limits/0: ",
            "\"group\"",
        ),
        (
            json!({"per": "1m", "weights": [{"model": ["a"], "weight": 0}]}),
            "/quotas/q/weights/0/weight: ",
            "1",
        ),
        (
            json!({"per": "1m", "store": "global"}),
            "/quotas/q/store: ",
            "mesh",
        ),
    ] {
        let problem = read(&with(&more)).unwrap_err();
        assert!(
            problem.starts_with(path) && problem.contains(words),
            "{more}: {problem}"
        );
    }
}
