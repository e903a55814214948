//! Tokens that are refused, and what is said of it.

use serde_json::{Value, json};
use testbed::grpc;
use testbed::http::Client;
use testbed::idp::{Alg, with};

use super::{ask, claims, partner, token};
use crate::support::{Guarded, chat, code, idp};

pub fn have_codes(guarded: &Guarded) {
    let overage = json!({"groups": null, "azp": "web-7", "_claim_names": {"groups": "src1"}});
    let flagged = json!({"groups": null, "azp": "web-7", "hasgroups": "true"});
    let svid = |subject: &str| {
        let claims = claims("mesh", subject, json!({"iss": null, "groups": null}));
        idp().token(&claims, Alg::Es256)
    };
    let typed = |typ: Value| {
        let header = json!({"alg": "ES256", "kid": idp().kid(Alg::Es256), "typ": typ});
        idp().token_with(&header, &claims("strict", "ana", json!({})), Alg::Es256)
    };
    let untyped = json!({"alg": "ES256", "kid": idp().kid(Alg::Es256)});
    let corp = claims("corp", "ana", json!({"groups": ["engineers"]}));
    let foreign = json!({"alg": "ES256", "kid": idp().kid(Alg::Es256), "typ": "JWT"});
    let cases = [
        ("id-token", typed(json!("JWT")), "token_type_not_accepted"),
        (
            "logout-token",
            typed(json!("logout+jwt")),
            "token_type_not_accepted",
        ),
        (
            "typ-in-text",
            typed(json!("text/at+jwt")),
            "token_type_not_accepted",
        ),
        (
            "no-type",
            idp().token_with(&untyped, &claims("strict", "ana", json!({})), Alg::Es256),
            "token_type_not_accepted",
        ),
        (
            "client",
            token("entra", "ana", json!({"groups": [], "azp": "cli-web-7"})),
            "client_not_accepted",
        ),
        (
            "no-client",
            token("entra", "ana", json!({})),
            "client_not_accepted",
        ),
        // The first of the claims that name a client counts, not the one that would do.
        (
            "two-clients",
            token("entra", "ana", json!({"azp": "cli", "client_id": "web-7"})),
            "client_not_accepted",
        ),
        ("overage", token("entra", "ana", overage), "groups_overage"),
        (
            "overage-flag",
            token("entra", "ana", flagged),
            "groups_overage",
        ),
        (
            "cognito-client",
            token("cognito", "ana", json!({"aud": null, "client_id": "app-3"})),
            "audience_mismatch",
        ),
        (
            "cognito-id-token",
            token("cognito", "ana", json!({"aud": "app-1"})),
            "audience_mismatch",
        ),
        (
            "other-domain",
            svid("spiffe://example.com/a"),
            "unknown_issuer",
        ),
        (
            "longer-domain",
            svid("spiffe://example.org.evil.test/a"),
            "unknown_issuer",
        ),
        (
            "domain-itself",
            svid("spiffe://example.org"),
            "unknown_issuer",
        ),
        (
            "domain-over-another",
            token(
                "mesh",
                "spiffe://example.com/a",
                json!({"iss": "spiffe://example.org"}),
            ),
            "subject_missing",
        ),
        (
            "other-realm",
            token("nobody", "ana", json!({"groups": ["engineers"]})),
            "unknown_issuer",
        ),
        // One provider's key is no key of another, whatever it is called.
        (
            "other-s-key",
            partner().token_with(&foreign, &corp, Alg::Es256),
            "signature_invalid",
        ),
        (
            "other-s-issuer",
            idp().token(
                &with(corp.clone(), "iss", json!(partner().issuer())),
                Alg::Es256,
            ),
            "signature_invalid",
        ),
    ];
    guarded.model.forget();
    for (case, token, expected) in cases {
        let case = format!("refused-{case}");
        let (answer, record) = ask(guarded, &case, chat(&token, "hello"));
        assert_eq!(answer.status, 401, "{case}: {}", answer.text());
        assert_eq!(code(&answer), expected, "{case}");
        let challenge = format!(
            "Bearer realm=\"portcullis\", error=\"invalid_token\", error_description=\"{expected}\""
        );
        assert_eq!(
            answer.header("www-authenticate"),
            Some(challenge.as_str()),
            "{case}"
        );
        // Neither what was found nor what is expected.
        for detail in ["at+jwt", "web-", "app-1", "example.org", "ana", "127.0.0.1"] {
            assert!(!answer.text().contains(detail), "{case}: {}", answer.text());
        }
        let verdict = &record["verdict"];
        assert_eq!(verdict["action"], "deny", "{case}: {record}");
        assert_eq!(verdict["code"], expected, "{case}: {record}");
        assert_eq!(verdict["status"], 401, "{case}: {record}");
        assert_eq!(record["identity"], Value::Null, "{case}: {record}");
    }
    assert_eq!(guarded.model.begun(), 0, "a refused request was sent on");
}

pub fn of_missing_keys_ask_for_patience(guarded: &Guarded) {
    let token = token("away", "ana", json!({"groups": ["engineers"]}));
    guarded.model.forget();
    let (answer, record) = ask(guarded, "away", chat(&token, "hello"));
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(code(&answer), "keys_unavailable");
    assert!(
        answer
            .header("retry-after")
            .is_some_and(|after| after.parse::<u32>().is_ok())
    );
    // Nothing is wrong with the token, so the caller needs no other.
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(record["verdict"]["code"], "keys_unavailable", "{record}");
    assert_eq!(record["verdict"]["status"], 503, "{record}");
    assert_eq!(record["identity"], Value::Null, "{record}");

    let client = Client::http2(guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = grpc::infer(&client, "small-1", "hello", &headers).unwrap();
    assert_eq!(answer.code, Some(14), "gRPC's UNAVAILABLE: {answer:?}");
    assert_eq!(
        guarded.model.begun(),
        0,
        "an unverified request was sent on"
    );
}
