//! Every algorithm that a policy can name, checked by Envoy's own cryptography where it can, and
//! by the filter's.

use serde_json::{Value, json};
use testbed::http::Response;
use testbed::idp::{AUDIENCE, Alg, Idp, with};

use crate::support::{Guarded, chat, code, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(every_algorithm_is_taken_by_both_ways_of_checking);

/// Who signs with secrets: all three kinds are named, or one is.
const INTERNAL: &str = "https://internal.example.com";
const NARROW: &str = "https://narrow.example.com";

fn every_algorithm_is_taken_by_both_ways_of_checking(version: &str) {
    let idp = Idp::start().unwrap();
    // RSA keys are the same for all providers of a process, generation by generation.
    let stranger = Idp::start().unwrap();
    stranger.rotate().unwrap();
    let guarded = Guarded::start_with(version, &checked_by(&idp, "auto"), |builder| {
        builder.listener("filter", checked_by(&idp, "filter"))
    });
    for listener in ["auto", "filter"] {
        let send = |token: &str| -> Response {
            match listener {
                "auto" => guarded.send(chat(token, "hello")),
                _ => guarded.send_to(listener, chat(token, "hello")),
            }
        };
        let tokens = |alg: Alg, issuer: &str| {
            ["ana", "root"].map(|subject| {
                idp.token(&with(idp.claims(subject, &[]), "iss", json!(issuer)), alg)
            })
        };
        let public = Alg::PUBLIC.map(|alg| (alg, idp.issuer()));
        let secret = Alg::SECRET.map(|alg| (alg, INTERNAL.to_owned()));
        for (alg, issuer) in public.into_iter().chain(secret) {
            let case = format!("{alg:?}, {listener}");
            let [token, other] = tokens(alg, &issuer);
            let begun = guarded.model.begun();
            let answer = send(&token);
            assert_eq!(answer.status, 200, "{case}: {}", answer.text());
            assert_eq!(guarded.model.begun(), begun + 1, "{case}");
            // Another's key, under this one's identifier.
            let header = json!({"alg": alg.name(), "typ": "JWT", "kid": idp.kid(alg)});
            let claims = with(idp.claims("ana", &[]), "iss", json!(issuer));
            let strange = stranger.token_with(&header, &claims, alg);
            for forged in [spliced(&token, &other), changed(&token), strange] {
                let answer = send(&forged);
                assert_eq!(answer.status, 401, "{case}: {}", answer.text());
                assert_eq!(code(&answer), "signature_invalid", "{case}");
            }
            assert_eq!(guarded.model.begun(), begun + 1, "{case}");
        }
        for (alg, issuer, status) in [
            // Nobody named it.
            (Alg::Hs256, idp.issuer().as_str(), 401),
            (Alg::Hs384, NARROW, 401),
            (Alg::Hs256, NARROW, 200),
            (Alg::Rs256, NARROW, 401),
        ] {
            let case = format!("{alg:?} of {issuer}, {listener}");
            let answer = send(&tokens(alg, issuer)[0]);
            assert_eq!(answer.status, status, "{case}: {}", answer.text());
            if status == 401 {
                assert_eq!(code(&answer), "algorithm_not_allowed", "{case}");
            }
        }
    }
}

fn checked_by(idp: &Idp, way: &str) -> Value {
    let provider = |name: &str, issuer: &str, jwks: Value| {
        json!({
            "name": name,
            "issuer": issuer,
            "audiences": [AUDIENCE],
            "keys": {"jwks": jwks},
        })
    };
    let internal = provider("internal", INTERNAL, idp.secrets());
    let internal = with(internal, "algorithms", json!(Alg::SECRET.map(Alg::name)));
    let mut secrets = idp.secrets();
    let secrets = secrets["keys"].as_array_mut().unwrap();
    secrets.retain(|key| key["alg"] == "HS256");
    let narrow = provider("narrow", NARROW, json!({"keys": secrets}));
    policy(&json!({"identity": {
        "verify_with": way,
        "providers": [
            provider("corp", &idp.issuer(), idp.jwks()),
            internal,
            with(narrow, "algorithms", json!(["HS256"])),
        ],
    }}))
}

/// The claims of one token under the signature of another.
fn spliced(token: &str, other: &str) -> String {
    let part = |token: &str, at: usize| token.split('.').nth(at).unwrap().to_owned();
    [part(token, 0), part(other, 1), part(token, 2)].join(".")
}

/// A token with one bit of its signature changed.
fn changed(token: &str) -> String {
    let (text, signature) = token.rsplit_once('.').unwrap();
    // Not the last character: some of its bits stand for nothing.
    let (first, rest) = signature.split_at(1);
    let first = if first == "A" { "B" } else { "A" };
    format!("{text}.{first}{rest}")
}
