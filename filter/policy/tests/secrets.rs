use super::{SMALL, edited, read};

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
