//! A policy that is wrong stops Envoy's start, and Envoy's log says where it is wrong.

use serde_json::{Value, json};
use testbed::mesh::{Builder, Mesh};

use crate::support::{CREDENTIAL, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    a_wrong_policy_stops_the_start,
    what_is_no_policy_stops_the_start,
);

fn builder(version: &str) -> Builder {
    Mesh::builder()
        .version(Some(version))
        .variable("MODEL_SERVER_KEY", CREDENTIAL)
}

/// The lines of the log that say what is wrong with the policy.
fn problems(log: &str) -> Vec<String> {
    let mut found: Vec<String> = log
        .lines()
        .filter_map(|line| line.split_once("portcullis: policy: "))
        .map(|(_, problem)| problem.to_owned())
        .collect();
    // Nothing is said twice to one reader, but each virtual machine says it.
    found.sort();
    found.dedup();
    found
}

fn a_wrong_policy_stops_the_start(version: &str) {
    let wrong = policy(&json!({
        "limit": {},
        "mode": "observe",
        "global_quotas": {"cluster": "ratelimit"},
        "limits": {"request_body": "lots", "response_body": "1MiB"},
        "upstream": {
            "credential": {"header": "authorization", "value": "Bearer ${NOT_SET_ANYWHERE}"},
        },
        "masks": {"pii": {"detect": ["email", "shoe_size"], "style": "blur"}},
        "rules": [
            {"name": "one", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]},
            {"name": "two", "when": {"opertion": ["inference.*"]}, "then": "allow", "flag": {}},
        ],
        "otherwise": "allow",
    }));
    let log = builder(version).policy(wrong).refused().unwrap();
    let problems = problems(&log);
    let mut missing: Vec<(&str, &str)> = vec![
        ("/limit:", "found"),
        ("/mode:", "observe"),
        ("/global_quotas:", "global_quotas"),
        ("/limits/request_body:", "lots"),
        ("/limits/response_body:", "response_body"),
        ("/upstream/credential/value:", "NOT_SET_ANYWHERE"),
        ("/masks/pii/detect/1:", "shoe_size"),
        ("/masks/pii/style:", "blur"),
        ("/rules/1/when/opertion:", "found"),
        ("/rules/1/flag:", "flag"),
        ("/otherwise:", "allow"),
    ];
    missing.retain(|(path, about)| {
        let said = |problem: &&String| problem.starts_with(path) && problem.contains(about);
        problems.iter().find(said).is_none()
    });
    assert!(
        missing.is_empty(),
        "not said: {missing:?}; said: {problems:#?}\n{log}"
    );
    assert_eq!(problems.len(), 11, "{problems:#?}");
    // What may be a secret is not shown.
    assert!(!log.contains("Bearer ${"), "{log}");

    // Each problem alone is enough.
    let unknown = policy(&json!({"limit": {}}));
    let log = builder(version).policy(unknown).refused().unwrap();
    assert!(log.contains("portcullis: policy: /limit: found"), "{log}");
}

fn what_is_no_policy_stops_the_start(version: &str) {
    for (text, about) in [
        ("{\"version\": 1,", "policy: /: found EOF while parsing"),
        (
            "version: 1",
            "policy: /: found a configuration that is not JSON text",
        ),
    ] {
        let log = builder(version).policy(text).refused().unwrap();
        assert!(log.contains(about), "{log}");
    }
    // Envoy hands a Struct over as protobuf, whatever its documentation says.
    let good: Value = policy(&json!({}));
    let log = builder(version).policy_as_struct(&good).refused().unwrap();
    assert!(log.contains("google.protobuf.Struct"), "{log}");
    assert!(
        log.contains("policy: /: found a configuration that is not JSON text"),
        "{log}"
    );
}
