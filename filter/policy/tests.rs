mod approvals;
mod limits;
mod rules;
mod secrets;

use super::{Policy, Problem, load};

fn environment(name: &str) -> Option<String> {
    match name {
        "KEY" => Some("s3cret".to_owned()),
        "FORGED" => Some("a\r\nx-admin: 1".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Policy, Vec<Problem>> {
    load(text, &environment)
}

pub(super) const SMALL: &str = r#"{
  "version": 1,
  "identity": { "providers": [ { "name": "corp", "issuer": "https://idp", "audiences": ["inference"], "keys": { "jwks": { "keys": [] } } } ] },
  "rules": [ { "name": "all", "then": "allow" } ]
}"#;

/// The small policy with one edit.
fn edited(from: &str, to: &str) -> Vec<String> {
    let text = SMALL.replacen(from, to, 1);
    assert_ne!(text, SMALL, "the edit changed nothing");
    read(&text)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_small_policy_loads() {
    let policy = read(SMALL).unwrap();
    assert_eq!(policy.rules.len(), 1);
    assert_eq!(policy.digest.len(), 64);
}

#[test]
fn an_unknown_key_is_named_with_its_path_and_what_is_known() {
    let problems = edited(r#""audiences""#, r#""audience""#);
    assert!(
        problems.iter().any(|one| one.starts_with(
            "/identity/providers/0/audience: found the unknown key \"audience\", expected"
        ) && one.contains("\"audiences\"")),
        "{problems:?}"
    );
    assert!(
        problems
            .iter()
            .any(|one| one.contains("/identity/providers/0: found no key \"audiences\"")),
        "{problems:?}"
    );
}

#[test]
fn text_that_is_not_json_is_told_line_and_column() {
    let problems = read("{\n  \"version\": 1,,\n}").unwrap_err();
    assert!(problems[0].to_string().contains("line 2"), "{problems:?}");
}

#[test]
fn a_repeated_key_is_refused() {
    let problems = edited(r#""version": 1,"#, r#""version": 1, "version": 1,"#);
    assert!(
        problems[0].contains("\"version\" occurs twice"),
        "{problems:?}"
    );
}

#[test]
fn several_mistakes_are_told_at_once() {
    let text = SMALL
        .replace(r#""then": "allow""#, r#""then": "alow""#)
        .replace(r#""version": 1"#, r#""version": 2"#);
    let problems = read(&text).unwrap_err();
    let paths: Vec<&str> = problems.iter().map(|one| one.path.as_str()).collect();
    assert!(paths.contains(&"/version"), "{problems:?}");
    assert!(paths.contains(&"/rules/0/then"), "{problems:?}");
}

#[test]
fn a_mistake_hides_no_other_and_makes_none() {
    let problems = edited(
        r#""rules": [ {"#,
        r#""limits": { "request_body": "lots", "response_body": "1MiB" },
           "masks": { "pii": { "detect": ["email"], "style": "blur" } },
           "rules": [ { "name": "odd", "when": { "method": [] }, "thn": "deny" },
                      { "name": "masked", "then": "allow", "mask": ["pii"] }, {"#,
    );
    let paths: Vec<&str> = problems
        .iter()
        .map(|one| one.split_once(": ").unwrap().0)
        .collect();
    let expected = [
        "/limits/response_body",
        "/limits/request_body",
        "/masks/pii/style",
        "/rules/0",
        "/rules/0/thn",
        "/rules/0/when/method",
    ];
    assert_eq!(paths, expected, "{problems:#?}");
}

#[test]
fn what_a_later_version_does_is_refused_by_name() {
    for (key, section, path) in [
        ("rules", r#""mode": "observe", "rules""#, "/mode"),
        ("rules", r#""global_quotas": {}, "rules""#, "/global_quotas"),
        (
            "rules",
            r#""limits": {"timing_bucket": "0ms"}, "rules""#,
            "/limits/timing_bucket",
        ),
        (
            "rules",
            r#""sessions": {"labels": {}}, "rules""#,
            "/sessions/labels",
        ),
    ] {
        let problems = edited(&format!("\"{key}\""), section);
        assert!(
            problems
                .iter()
                .any(|one| one.starts_with(&format!("{path}: "))
                    && one.contains("does not have yet")),
            "{section}: {problems:?}"
        );
    }
}

#[test]
fn the_first_style_of_a_detector_holds_and_equal_plans_are_one() {
    let text = SMALL.replace(
        r#""rules": [ { "name": "all", "then": "allow" } ]"#,
        r#""masks": {"a": {"detect": ["email"], "style": "stars"}, "b": {"detect": ["email", "ip"]}},
           "rules": [ {"name": "x", "then": "allow", "mask": ["a", "b"]}, {"name": "y", "then": "allow", "mask": ["a", "b"]} ]"#,
    );
    let policy = read(&text).unwrap();
    assert_eq!(policy.masks.len(), 1);
    let plan = &policy.masks[0];
    assert_eq!(plan.detections.len(), 2);
    assert_eq!(plan.detections[0].style, mask::policy::Style::Stars);
}

#[test]
fn a_detector_is_compiled_whether_a_rule_uses_it_or_not() {
    let problems = edited(
        r#""version": 1"#,
        r#""version": 2, "detectors": { "unused": { "pattern": "a[", "label": "A" } }"#,
    );
    assert_eq!(
        problems,
        [
            "/version: found 2, expected 1",
            "/detectors/unused/pattern: found unclosed character class, expected one that can be \
             looked for",
        ]
    );
}

#[test]
fn each_mistake_is_told_once() {
    for section in [
        r#""mode": 5"#,
        r#""mode": "" "#,
        r#""sessions": { "record": 5 }"#,
        r#""quotas": { "q": { "by": [5], "count": "requests", "limit": 1, "per": "1m" } }"#,
        r#""quotas": { "q": { "by": [""], "count": "requests", "limit": 1, "per": "1m" } }"#,
    ] {
        let problems = edited(r#""version": 1"#, &format!(r#""version": 1, {section}"#));
        assert_eq!(problems.len(), 1, "{section}: {problems:?}");
    }
}

#[test]
fn what_is_kept_of_bodies_has_its_own_mistakes() {
    let to = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    let with = |sections: &str| edited(r#""version": 1"#, &format!(r#""version": 1, {sections}"#));
    let masks = r#""masks": {"pii": {"detect": ["email"]}}"#;
    let raw =
        format!(r#""sessions": {{"record": "full", "bodies": {{"as": "raw", "to": "{to}"}}}}"#);
    for (wrong, path, words) in [
        (
            r#""sessions": {"bodies": {}}"#.to_owned(),
            "/sessions/bodies",
            "\"record\": \"full\"",
        ),
        (
            r#""sessions": {"record": "full"}"#.to_owned(),
            "/sessions/bodies",
            "no mask",
        ),
        (
            format!(
                r#"{masks}, "sessions": {{"record": "full", "bodies": {{"mask": ["other"]}}}}"#
            ),
            "/sessions/bodies/mask",
            "other",
        ),
        (
            r#""sessions": {"record": "full", "bodies": {"as": "raw"}}"#.to_owned(),
            "/sessions/bodies",
            "nobody who can read them",
        ),
        (
            raw.replace("ujwj", "ujwk"),
            "/sessions/bodies/to",
            "no recipient",
        ),
        (
            format!(r#"{masks}, "sessions": {{"record": "full", "bodies": {{"to": "{to}"}}}}"#),
            "/sessions/bodies/to",
            "not raw",
        ),
        (
            format!(
                r#"{masks}, {}"#,
                raw.replace(r#""to""#, r#""mask": ["pii"], "to""#)
            ),
            "/sessions/bodies/mask",
            "not masked",
        ),
    ] {
        let problems = with(&wrong);
        let told = |one: &String| one.starts_with(path) && one.contains(words);
        assert!(problems.iter().any(told), "{wrong}: {problems:?}");
        assert_eq!(problems.len(), 1, "{wrong}: {problems:?}");
    }
    // Masks that are wrong are told of once.
    let problems = with(r#""masks": {"pii": {"detect": 5}}, "sessions": {"record": "full"}"#);
    assert_eq!(problems.len(), 1, "{problems:?}");
    let rule = r#""then": "allow", "sessions": {"record": "full"}"#;
    let problems = edited(r#""then": "allow""#, rule);
    assert!(
        problems[0].contains("whose records have no bodies"),
        "{problems:?}"
    );
}
