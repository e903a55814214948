use super::{SMALL, edited, read};

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
