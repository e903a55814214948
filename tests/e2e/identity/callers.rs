//! Whom a token names.

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::idp::Alg;

use super::{ask, claims, engineer, partner, token};
use crate::support::{Guarded, chat, code, idp};

pub fn are_named(guarded: &Guarded) {
    let svid = json!({
        "sub": "spiffe://example.org/ns/ml/sa/batch",
        "aud": ["inference"],
        "exp": testbed::idp::now() + 300,
    });
    let svid_header = json!({"alg": "ES256", "kid": idp().kid(Alg::Es256), "typ": "JOSE"});
    // Each: a token, then the rule that it reaches, and what of its caller is recorded.
    let cases: [(&str, String, &str, Value); 16] = [
        (
            "plain",
            engineer(),
            "no-client",
            json!({"provider": "corp", "subject": "ana", "kind": "person", "client": null,
                "groups": ["engineers"]}),
        ),
        (
            "azp",
            token("corp", "ana", json!({"azp": "web-7", "client_id": "other"})),
            "browsers",
            json!({"kind": "person", "client": "web-7"}),
        ),
        (
            "client-id",
            token("corp", "ana", json!({"client_id": "web-7"})),
            "browsers",
            json!({"kind": "person", "client": "web-7"}),
        ),
        (
            "own-subject",
            token("corp", "batch", json!({"client_id": "batch"})),
            "services",
            json!({"kind": "service", "client": "batch"}),
        ),
        (
            "idtyp",
            token("corp", "0f-21", json!({"idtyp": "app", "appid": "ab-3"})),
            "services",
            json!({"kind": "service", "client": "ab-3"}),
        ),
        (
            "gty",
            token("corp", "x@clients", json!({"gty": "client-credentials"})),
            "services",
            json!({"kind": "service"}),
        ),
        (
            "service-account",
            token(
                "corp",
                "c4",
                json!({"preferred_username": "service-account-ci"}),
            ),
            "services",
            json!({"kind": "service"}),
        ),
        (
            "no-service-account",
            token(
                "corp",
                "c5",
                json!({"preferred_username": "my-service-account-", "azp": "web-7"}),
            ),
            "browsers",
            json!({"kind": "person"}),
        ),
        (
            "said-by-the-policy",
            partner().good("ana", &["engineers"]),
            "services",
            json!({"provider": "partner", "issuer": partner().issuer(), "kind": "service"}),
        ),
        (
            "cognito",
            token(
                "cognito",
                "ana",
                json!({"aud": null, "client_id": "app-2", "token_use": "access",
                    "cognito:groups": ["engineers", "ml"]}),
            ),
            "one-provider",
            json!({"provider": "cognito", "client": "app-2", "groups": ["engineers", "ml"]}),
        ),
        (
            "overage-ignored",
            token(
                "entra-lax",
                "ana",
                json!({"groups": null, "_claim_names": {"groups": "src1"},
                    "_claim_sources": {"src1": {"endpoint": "https://graph.test/x"}}}),
            ),
            "one-provider",
            json!({"provider": "entra-lax", "groups": []}),
        ),
        (
            "groups-after-all",
            token(
                "entra",
                "ana",
                json!({"hasgroups": true, "groups": ["a"], "azp": "web-7"}),
            ),
            "browsers",
            json!({"provider": "entra", "groups": ["a"]}),
        ),
        (
            "kubernetes",
            token(
                "kubernetes",
                "system:serviceaccount:ml:batch",
                json!({"groups": null, "aud": ["inference"], "jti": "6f", "kubernetes.io": {
                    "namespace": "ml",
                    "pod": {"name": "batch-0", "uid": "3a"},
                    "serviceaccount": {"name": "batch", "uid": "9c"},
                }}),
            ),
            "namespace",
            json!({"provider": "kubernetes", "subject": "system:serviceaccount:ml:batch",
                "kind": "service", "client": null, "groups": []}),
        ),
        (
            "spiffe",
            idp().token_with(&svid_header, &svid, Alg::Es256),
            "services",
            json!({"provider": "mesh", "issuer": "spiffe://example.org", "kind": "service",
                "subject": "spiffe://example.org/ns/ml/sa/batch"}),
        ),
        (
            "separators",
            token(
                "corp",
                "eve",
                json!({"scope": "openid models:read", "ext": {"teams": "red; blue ;;"}}),
            ),
            "scope",
            json!({"kind": "person"}),
        ),
        (
            "typ",
            idp().token_with(
                &json!({"alg": "ES256", "kid": idp().kid(Alg::Es256), "typ": "application/AT+JWT"}),
                &claims("strict", "ana", json!({"azp": "web-7"})),
                Alg::Es256,
            ),
            "browsers",
            json!({"provider": "strict"}),
        ),
    ];
    for (case, token, rule, expected) in cases {
        let (answer, record) = ask(guarded, case, chat(&token, "hello"));
        assert_eq!(answer.status, 200, "{case}: {} {record}", answer.text());
        assert_eq!(record["verdict"]["rule"], rule, "{case}: {record}");
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(
                &record["identity"][name], value,
                "{case}: {name} in {record}"
            );
        }
    }
}

pub fn reach_rules_by_client_and_kind(guarded: &Guarded) {
    let tune = |token: &str| {
        Request::post("/v1/fine_tuning/jobs")
            .bearer(token)
            .json(&json!({"model": "small-1", "training_file": "f"}))
    };
    let service = token("corp", "batch", json!({"client_id": "batch"}));
    let engineers = json!({"groups": ["engineers"], "azp": "desktop"});
    let no_team = json!({"scope": "models:read", "ext": {"teams": "bluer"}});
    let spaced = json!({"scope": ["models:read openid"], "ext": {"teams": "blue"}});
    let cases = [
        (
            "service-tunes",
            tune(&service),
            json!("services-do-not-tune"),
        ),
        (
            "old-client",
            chat(&token("corp", "ana", json!({"azp": "web-0.9"})), "hello"),
            json!("no-old-client"),
        ),
        (
            "another-client",
            chat(&token("corp", "ana", engineers), "hello"),
            Value::Null,
        ),
        (
            "another-team",
            chat(&token("corp", "eve", no_team), "hello"),
            Value::Null,
        ),
        // Only a string is taken apart: a member of a list is one value.
        (
            "spaced",
            chat(&token("corp", "eve", spaced), "hello"),
            Value::Null,
        ),
        (
            "another-namespace",
            chat(
                &token(
                    "kubernetes",
                    "eve",
                    json!({"kubernetes.io": {"namespace": "web"}}),
                ),
                "hello",
            ),
            Value::Null,
        ),
    ];
    guarded.model.forget();
    for (case, request, rule) in cases {
        let (answer, record) = ask(guarded, case, request);
        assert_eq!(answer.status, 403, "{case}: {}", answer.text());
        assert_eq!(code(&answer), "denied", "{case}");
        assert_eq!(record["verdict"]["rule"], rule, "{case}: {record}");
    }
    assert_eq!(guarded.model.begun(), 0, "a denied request was sent on");
    let (answer, record) = ask(guarded, "engineer-tunes", tune(&engineer()));
    assert_eq!(answer.status, 200, "{record}");
    assert_eq!(record["verdict"]["rule"], "no-client", "{record}");
}
