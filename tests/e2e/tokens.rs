//! Who is calling: which tokens are taken, what the others are told, and what a token says to
//! the rules.

use serde_json::{Value, json};
use testbed::grpc;
use testbed::http::{Client, Request};
use testbed::idp::{Alg, with};

use crate::support::{Guarded, ana, chat, code, idp, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(tokens_are_verified);

fn tokens_are_verified(version: &str) {
    let guarded = Guarded::start(
        version,
        &policy(&json!({
            "identity": {
                "providers": [{
                    "name": "corp",
                    "issuer": idp().issuer(),
                    "audiences": ["inference"],
                    "keys": {"jwks": idp().jwks()},
                    "claims": {"subject": "sub", "groups": "realm.roles", "tenant": "org.id"},
                    "leeway": "5s",
                }],
                "token": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-key"}],
            },
            "rules": [
                {"name": "by-group", "when": {"group": ["engineers"]}, "then": "allow"},
                {"name": "by-subject", "when": {"subject": ["svc-*"]}, "then": "allow"},
                {"name": "by-claim", "when": {"claim": {"tenant": ["acme"]}}, "then": "allow"},
            ],
        })),
    );
    each_algorithm_is_taken(&guarded);
    what_is_wrong_is_refused(&guarded);
    several_tokens_are_refused(&guarded);
    claims_reach_the_rules(&guarded);
    refusals_take_the_callers_form(&guarded);
}

fn claims(subject: &str) -> Value {
    with(
        idp().claims(subject, &[]),
        "realm",
        json!({"roles": ["engineers"]}),
    )
}

fn each_algorithm_is_taken(guarded: &Guarded) {
    for (alg, host) in [
        (Alg::Rs256, "rs256.test"),
        (Alg::Es256, "es256.test"),
        (Alg::EdDsa, "eddsa.test"),
    ] {
        let token = idp().token(&claims("ana"), alg);
        guarded.model.forget();
        let answer = guarded.send(chat(&token, "hello").header("host", host));
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
        assert_eq!(guarded.model.begun(), 1, "{host}");
        let record = guarded.record(host);
        assert_eq!(record["identity"]["subject"], "ana", "{host}: {record}");
        assert_eq!(record["identity"]["provider"], "corp", "{host}: {record}");
        assert_eq!(
            record["identity"]["issuer"],
            idp().issuer(),
            "{host}: {record}"
        );
        assert_eq!(
            record["identity"]["groups"],
            json!(["engineers"]),
            "{host}: {record}"
        );
        assert_eq!(record["verdict"]["action"], "allow", "{host}: {record}");
        assert_eq!(record["verdict"]["rule"], "by-group", "{host}: {record}");

        let other = idp().token(&claims("root"), alg);
        let parts: Vec<&str> = token.split('.').chain(other.split('.')).collect();
        let forged = format!("{}.{}.{}", parts[0], parts[4], parts[2]);
        let answer = guarded.send(chat(&forged, "hello"));
        assert_eq!(
            answer.status,
            401,
            "{host} with other claims: {}",
            answer.text()
        );
        assert_eq!(
            code(&answer),
            "signature_invalid",
            "{host} with other claims"
        );
        assert_eq!(guarded.model.begun(), 1, "{host} with other claims");

        // The same token in the other place that the policy names, without a scheme.
        let request = Request::get("/v1/models").header("x-api-key", &token);
        assert_eq!(guarded.send(request).status, 200, "{host} as x-api-key");
    }
}

fn what_is_wrong_is_refused(guarded: &Guarded) {
    let good = claims("ana");
    let es256 = |claims: &Value| idp().token(claims, Alg::Es256);
    let signed = |header: &Value| idp().token_with(header, &good, Alg::Es256);
    let token = es256(&good);
    let (head, _) = token.rsplit_once('.').unwrap();
    let cases = [
        ("expired", idp().expired("svc-ana", &[]), "token_expired"),
        (
            "never-expires",
            es256(&without(&good, "exp")),
            "token_expired",
        ),
        (
            "not-yet-valid",
            idp().not_yet_valid("svc-ana", &[]),
            "token_not_yet_valid",
        ),
        (
            "wrong-issuer",
            idp().wrong_issuer("svc-ana", &[]),
            "unknown_issuer",
        ),
        ("no-issuer", es256(&without(&good, "iss")), "unknown_issuer"),
        (
            "wrong-audience",
            idp().wrong_audience("svc-ana", &[]),
            "audience_mismatch",
        ),
        (
            "no-audience",
            es256(&without(&good, "aud")),
            "audience_mismatch",
        ),
        (
            "no-subject",
            es256(&without(&good, "sub")),
            "subject_missing",
        ),
        (
            "unknown-key",
            idp().unknown_key("svc-ana", &[]),
            "unknown_key",
        ),
        ("forged", idp().forged("svc-ana", &[]), "signature_invalid"),
        ("no-signature", format!("{head}."), "signature_invalid"),
        (
            "alg-none",
            idp().unsigned("svc-ana", &[]),
            "algorithm_not_allowed",
        ),
        // The public key as the secret of a MAC: the algorithm is the token's choice nowhere.
        (
            "alg-hs256",
            signed(&json!({"alg": "HS256", "kid": "ec-1"})),
            "algorithm_not_allowed",
        ),
        (
            "key-of-another-kind",
            signed(&json!({"alg": "RS256", "kid": "ec-1"})),
            "unknown_key",
        ),
        (
            "brings-its-key",
            signed(&json!({"alg": "ES256", "kid": "ec-1", "jwk": idp().jwks()["keys"][1]})),
            "token_header_not_supported",
        ),
        ("not-a-token", "open-sesame".to_owned(), "token_malformed"),
    ];
    guarded.model.forget();
    for (case, token, expected) in &cases {
        let host = format!("{case}.test");
        let answer = guarded.send(chat(token, "hello").header("host", &host));
        assert_eq!(answer.status, 401, "{case}: {}", answer.text());
        assert_eq!(code(&answer), *expected, "{case}");
        assert_eq!(
            answer.header("www-authenticate").unwrap_or_default(),
            format!(
                "Bearer realm=\"portcullis\", error=\"invalid_token\", \
                 error_description=\"{expected}\""
            ),
            "{case}"
        );
        let record = guarded.record(&host);
        let verdict = &record["verdict"];
        assert_eq!(verdict["action"], "deny", "{case}: {record}");
        assert_eq!(verdict["code"], *expected, "{case}: {record}");
        assert_eq!(verdict["status"], 401, "{case}: {record}");
        assert_eq!(
            record["identity"],
            Value::Null,
            "{case}: nobody was verified: {record}"
        );
    }

    // RFC 6750, section 3.1: who sends no token is told no error.
    for (case, request) in [
        ("no-token", Request::get("/v1/models")),
        (
            "other-scheme",
            Request::get("/v1/models").header("authorization", "Basic YTpi"),
        ),
        (
            "empty",
            Request::get("/v1/models").header("authorization", "Bearer "),
        ),
    ] {
        let host = format!("{case}.test");
        let answer = guarded.send(request.header("host", &host));
        assert_eq!(answer.status, 401, "{case}: {}", answer.text());
        assert_eq!(code(&answer), "token_missing", "{case}");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"portcullis\""),
            "{case}"
        );
        assert_eq!(
            guarded.record(&host)["verdict"]["code"],
            "token_missing",
            "{case}"
        );
    }
    assert_eq!(
        guarded.model.begun(),
        0,
        "a refused request reached the model server"
    );
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn several_tokens_are_refused(guarded: &Guarded) {
    let good = idp().token(&claims("ana"), Alg::Es256);
    guarded.model.forget();
    let twice = [
        (
            "two-places.test",
            chat(&good, "hello").header("x-api-key", &good),
        ),
        (
            "other-second.test",
            chat(&good, "hello").header("x-api-key", idp().expired("svc-ana", &[])),
        ),
        (
            "twice-one-place.test",
            Request::get("/v1/models")
                .header("x-api-key", &good)
                .header("x-api-key", &good),
        ),
    ];
    for (host, request) in twice {
        let answer = guarded.send(request.header("host", host));
        assert_eq!(answer.status, 400, "{host}: {}", answer.text());
        assert_eq!(code(&answer), "several_tokens", "{host}");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(
                "Bearer realm=\"portcullis\", error=\"invalid_request\", \
                 error_description=\"several_tokens\""
            ),
            "{host}"
        );
        assert_eq!(
            guarded.record(host)["verdict"]["code"],
            "several_tokens",
            "{host}"
        );
    }
    // Envoy makes one value of two `authorization` headers.
    let request = chat(&good, "hello").header("authorization", format!("Bearer {good}"));
    let answer = guarded.send(request);
    assert!(
        [400, 401].contains(&answer.status),
        "authorization twice: {} {}",
        answer.status,
        answer.text()
    );
    assert_eq!(
        guarded.model.begun(),
        0,
        "a request with several tokens reached the model server"
    );
}

fn claims_reach_the_rules(guarded: &Guarded) {
    let plain = idp().claims("bob", &[]);
    let cases = [
        ("group", claims("bob"), 200, json!("by-group")),
        (
            "subject",
            idp().claims("svc-batch", &[]),
            200,
            json!("by-subject"),
        ),
        (
            "claim",
            with(plain.clone(), "org", json!({"id": "acme"})),
            200,
            json!("by-claim"),
        ),
        (
            "other-claim",
            with(plain.clone(), "org", json!({"id": "acme2"})),
            403,
            Value::Null,
        ),
        // The policy reads groups from another claim than this one.
        (
            "not-the-claim",
            idp().claims("bob", &["engineers"]),
            403,
            Value::Null,
        ),
        ("nothing", plain, 403, Value::Null),
    ];
    for (case, claims, status, rule) in cases {
        let host = format!("reach-{case}.test");
        let token = idp().token(&claims, Alg::Rs256);
        let answer = guarded.send(chat(&token, "hello").header("host", &host));
        assert_eq!(answer.status, status, "{case}: {}", answer.text());
        if status == 403 {
            // RFC 6750, section 3.1: the token is good, but not for this.
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer realm=\"portcullis\", error=\"insufficient_scope\""),
                "{case}"
            );
            assert_eq!(code(&answer), "denied", "{case}");
        }
        assert_eq!(guarded.record(&host)["verdict"]["rule"], rule, "{case}");
    }
}

/// Clients of each protocol find the refusal where they look for it.
fn refusals_take_the_callers_form(guarded: &Guarded) {
    let answer = guarded.send(Request::post("/v2/models/small-1/infer").json(&json!({})));
    assert_eq!(answer.status, 401);
    let body = answer.json();
    let text = body["error"].as_str().unwrap_or_default();
    assert!(text.starts_with("token_missing: "), "KServe: {body}");

    let client = Client::http2(guarded.mesh.port()).unwrap();
    let missing = grpc::infer(&client, "small-1", "hello", &[]).unwrap();
    assert_eq!(missing.code, Some(16), "gRPC without a token: {missing:?}");
    let bearer = format!("Bearer {}", idp().forged("ana", &[]));
    let forged = grpc::infer(&client, "small-1", "hello", &[("authorization", &bearer)]).unwrap();
    assert_eq!(
        forged.code,
        Some(16),
        "gRPC with a forged token: {forged:?}"
    );
    let bearer = format!("Bearer {}", ana());
    let nobody = grpc::infer(&client, "small-1", "hello", &[("authorization", &bearer)]).unwrap();
    assert_eq!(
        nobody.code,
        Some(7),
        "gRPC of somebody without rights: {nobody:?}"
    );
}
