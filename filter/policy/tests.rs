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

const SMALL: &str = r#"{
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
fn a_secret_comes_from_the_environment_and_is_never_shown() {
    let with = |value: &str| {
        SMALL.replace(
            r#""rules""#,
            &format!(
                r#""upstream": {{ "credential": {{ "header": "Authorization", "value": "{value}" }} }}, "rules""#
            ),
        )
    };
    let policy = read(&with("Bearer ${KEY}")).unwrap();
    let credential = policy.upstream.credential(None, "health").unwrap();
    assert_eq!(credential.value, "Bearer s3cret");
    assert!(!format!("{policy:?}").contains("s3cret"));

    let missing = read(&with("Bearer ${NOPE}")).unwrap_err();
    assert_eq!(missing[0].path, "/upstream/credential/value");
    assert!(missing[0].to_string().contains("NOPE"));

    let forged = read(&with("${FORGED}")).unwrap_err();
    assert!(forged[0].to_string().contains("control character"));
    assert!(!forged[0].to_string().contains("x-admin"));
}

#[test]
fn names_that_nothing_defines_are_refused() {
    for (extra, path) in [
        (r#""when": {"prompt": ["nope"]}"#, "/rules/0/when/prompt/0"),
        (
            r#""when": {"provider": ["nope"]}"#,
            "/rules/0/when/provider/0",
        ),
        (
            r#""when": {"operation": ["nope.*"]}"#,
            "/rules/0/when/operation/0",
        ),
        (
            r#""when": {"claim": {"tenant": ["a"]}}"#,
            "/rules/0/when/claim/tenant",
        ),
        (r#""when": {}"#, "/rules/0/when"),
        (
            r#""when": {"path": [{"regex": "("}]}"#,
            "/rules/0/when/path/0/regex",
        ),
        (r#""quota": ["nope"]"#, "/rules/0/quota/0"),
        (r#""mask": ["nope"]"#, "/rules/0/mask/0"),
    ] {
        let problems = edited(
            r#""then": "allow""#,
            &format!(r#""then": "allow", {extra}"#),
        );
        assert!(
            problems
                .iter()
                .any(|one| one.starts_with(&format!("{path}: "))),
            "{extra}: {problems:?}"
        );
    }
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
fn approval_needs_a_desk() {
    let problems = edited(
        r#""then": "allow""#,
        r#""then": {"approve": {"reviewers": ["leads"]}}"#,
    );
    assert!(problems[0].contains("/approvals"), "{problems:?}");
}

#[test]
fn units_are_checked() {
    for (limit, good) in [
        ("\"8MiB\"", true),
        ("\"8MB\"", false),
        ("8", false),
        ("\"1GiB\"", false),
        ("\"0B\"", false),
    ] {
        let text = SMALL.replace(
            r#""rules""#,
            &format!(r#""limits": {{"request_body": {limit}}}, "rules""#),
        );
        assert_eq!(read(&text).is_ok(), good, "{limit}");
    }
}

#[test]
fn the_limit_of_what_is_held_of_bodies_is_checked_and_has_room_for_one() {
    let with =
        |limits: &str| SMALL.replace(r#""rules""#, &format!(r#""limits": {limits}, "rules""#));
    assert_eq!(read(SMALL).unwrap().limits.buffers, 256 << 20);
    let policy = read(&with(r#"{"buffers": "64MiB"}"#)).unwrap();
    assert_eq!(policy.limits.buffers, 64 << 20);
    for (limits, expected) in [
        (r#"{"buffers": "31MiB"}"#, "from 32MiB to 768MiB"),
        (r#"{"buffers": "1GiB"}"#, "from 32MiB to 768MiB"),
        (r#"{"buffers": 64}"#, "from 32MiB to 768MiB"),
        (
            r#"{"buffers": "64MiB", "request_body": "22MiB"}"#,
            "at least 3 times \"request_body\", which is 66MiB",
        ),
    ] {
        let problems = read(&with(limits)).unwrap_err();
        assert_eq!(problems[0].path, "/limits/buffers", "{limits}");
        assert!(
            problems[0].expected.ends_with(expected),
            "{limits}: {problems:?}"
        );
    }
}

#[test]
fn limits_of_those_who_wait_are_checked() {
    let with = |waiting: &str| {
        SMALL.replace(
            r#""rules""#,
            &format!(r#""limits": {{"waiting": {waiting}}}, "rules""#),
        )
    };
    let policy = read(&with(r#"{"total": 7}"#)).unwrap();
    let waiting = policy.limits.waiting;
    assert_eq!((waiting.total, waiting.per_subject), (7, 20));
    for (waiting, path) in [
        (r#"{"total": 0}"#, "/limits/waiting/total"),
        (r#"{"per_subject": 10001}"#, "/limits/waiting/per_subject"),
        (r#"{"per_subject": "20"}"#, "/limits/waiting/per_subject"),
        (r#"{"subject": 2}"#, "/limits/waiting/subject"),
        ("20", "/limits/waiting"),
    ] {
        let problems = read(&with(waiting)).unwrap_err();
        assert_eq!(problems[0].path, path, "{waiting}");
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
fn a_rule_is_not_wrong_for_a_quota_that_is() {
    let text = SMALL.replace(
        r#""rules": [ { "name": "all", "then": "allow" } ]"#,
        r#""quotas": {"t": {"by": ["subject"], "count": "tokens", "limit": 1, "per": "1h"}},
           "rules": [ {"name": "all", "then": "allow", "quota": ["t"]} ]"#,
    );
    let problems = read(&text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, "/quotas/t/count");
}

#[test]
fn a_header_upstream_has_one_value() {
    let problems = edited(
        r#""rules""#,
        r#""upstream": {
            "credential": {"header": "x-key", "value": "k"},
            "identity_headers": {"subject": "X-Key", "kind": "x-who", "issuer": "x-who"}
        }, "rules""#,
    );
    assert_eq!(problems.len(), 2, "{problems:?}");
    for name in ["x-key", "x-who"] {
        let expected = format!("/upstream: found two values for the header \"{name}\"");
        assert!(
            problems.iter().any(|one| one.starts_with(&expected)),
            "{problems:?}"
        );
    }
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
fn what_is_wrong_with_a_provider_is_not_wrong_with_who_names_it() {
    let problems = edited(
        r#""issuer": "https://idp","#,
        r#""issuer": "https://idp", "leeway": 30, "claims": { "tenant": "org" },"#,
    );
    assert_eq!(problems.len(), 1, "{problems:?}");
    let text = SMALL.replace(
        r#""then": "allow""#,
        r#""when": { "provider": ["corp"], "claim": { "tenant": ["a"] } }, "then": "allow""#,
    );
    let text = text.replace(
        r#""issuer": "https://idp","#,
        r#""issuer": "https://idp", "leeway": 30, "claims": { "tenant": "org" },"#,
    );
    let problems = read(&text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, "/identity/providers/0/leeway");
}

#[test]
fn conditions_that_could_never_hold_are_refused() {
    for (when, path) in [
        (r#"{ "path": ["v1/models"] }"#, "path/0"),
        (r#"{ "host": ["models.example.com:443"] }"#, "host/0"),
        (r#"{ "method": ["*"] }"#, "method/0"),
        (r#"{ "claim": {} }"#, "claim"),
        (r#"{ "header": { ":path": ["/"] } }"#, "header/:path"),
    ] {
        let problems = edited(r#""then""#, &format!(r#""when": {when}, "then""#));
        let place = format!("/rules/0/when/{path}: ");
        assert!(
            problems.iter().any(|one| one.starts_with(&place)),
            "{when}: {problems:?}"
        );
    }
    let fine = SMALL.replace(
        r#""then""#,
        r#""when": { "host": ["[::1]", "*.example.com"], "path": ["*/models"] }, "then""#,
    );
    assert!(read(&fine).is_ok());
}

#[test]
fn a_message_is_for_rules_that_deny() {
    for then in [r#""allow""#, r#"{ "approve": { "reviewers": ["a"] } }"#] {
        let problems = edited(
            r#""then": "allow""#,
            &format!(r#""then": {then}, "message": "No.""#),
        );
        let place = "/rules/0/message: ";
        assert!(
            problems.iter().any(|one| one.starts_with(place)),
            "{then}: {problems:?}"
        );
    }
}

#[test]
fn an_address_with_a_password_is_not_shown() {
    let problems = edited(
        r#"{ "jwks": { "keys": [] } }"#,
        r#"{ "jwks_uri": { "cluster": "idp", "uri": "https://user:hunter2@idp/keys" } }"#,
    );
    assert_eq!(problems.len(), 1);
    assert!(!problems[0].contains("hunter2"), "{problems:?}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    for section in [
        r#""upstream": { "credential": "Bearer hunter2" }"#,
        r#""upstream": { "credentials": ["Bearer hunter2"] }"#,
        r#""upstream": "hunter2""#,
        r#""upstream": { "credential": { "header": "Bearer hunter2", "value": "x-key" } }"#,
        r#""pseudonyms": "hunter2""#,
        r#""approvals": "Bearer hunter2""#,
        r#""detectors": { "a": { "label": "A", "canaries": "hunter2" } }"#,
        r#""detectors": { "a": { "label": "A", "canaries": ["hunter2"] } }"#,
    ] {
        let problems = edited(r#""version": 1"#, &format!(r#""version": 1, {section}"#));
        assert!(!problems.is_empty());
        let shown = problems.iter().any(|one| one.contains("hunter2"));
        assert!(!shown, "{section}: {problems:?}");
    }
    for keys in [
        r#""hunter2""#,
        r#"{ "jwks": "hunter2" }"#,
        r#"{ "jwks": { "keys": "hunter2" } }"#,
    ] {
        let problems = edited(r#"{ "jwks": { "keys": [] } }"#, keys);
        let shown = problems.iter().any(|one| one.contains("hunter2"));
        assert!(!shown, "{keys}: {problems:?}");
    }
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
