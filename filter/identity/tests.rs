//! Verification of tokens whose keys stand in the policy.

mod shapes;
mod waiting;

use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::Algorithm;
use jwt_compact::alg::{Ed25519, Es256};
use jwt_compact::jwk::JsonWebKey;
use serde_json::{Value, json};

use super::{Identity, NoNative, Refusal, Unverified, Verifier, find_token};
use crate::identity::section::TokenPlace;
use crate::policy;
use crate::testing::{ec_public, ec_secret, jwk, signed};

type EdSecret = <Ed25519 as Algorithm>::SigningKey;

const NOW: u64 = 1_800_000_000;

fn ed_secret() -> EdSecret {
    EdSecret::from_bytes(&[7; 32])
}

fn verifier(edit: impl Fn(&mut Value)) -> Verifier {
    let mut provider = json!({
        "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
        "keys": {"jwks": {"keys": [
            ec_public(1, "a"),
            jwk(&JsonWebKey::from(&ed_secret().verifying_key()), json!({"kid": "ed"})),
        ]}},
        "claims": {"groups": "realm_access.roles", "tenant": "org.id"},
    });
    edit(&mut provider);
    let policy = json!({
        "version": 1, "identity": {"providers": [provider]},
        "rules": [{"name": "all", "then": "allow"}],
    });
    let policy = policy::load(&policy.to_string(), &|_| None).unwrap();
    Verifier::new(&policy.identity, None).unwrap()
}

/// Judges a token that came just now.
fn judge(verifier: &Verifier, token: &str) -> Result<Identity, Refusal> {
    let now = Duration::from_secs(NOW);
    match verifier.verify(token, now, now, &NoNative) {
        Ok(identity) => Ok((*identity).clone()),
        Err(Unverified::Refused(refusal)) => Err(refusal),
        Err(Unverified::Wait(_)) => panic!("keys that stand in the policy are never awaited"),
    }
}

fn claims(edit: impl Fn(&mut Value)) -> Value {
    let mut claims = json!({
        "iss": "https://idp", "aud": "inference", "sub": "jane", "exp": NOW + 60, "iat": NOW - 60,
        "realm_access": {"roles": ["engineers", "ops"]}, "org": {"id": 42},
    });
    edit(&mut claims);
    claims
}

fn es256(edit: impl Fn(&mut Value)) -> String {
    signed(
        &Es256,
        &ec_secret(1),
        &json!({"alg": "ES256", "kid": "a"}),
        &claims(edit),
    )
}

fn verify(token: &str) -> Result<Identity, Refusal> {
    judge(&verifier(|_| ()), token)
}

#[test]
fn a_good_token_becomes_an_identity() {
    let identity = verify(&es256(|_| ())).unwrap();
    assert_eq!(identity.provider, "corp");
    assert_eq!(identity.subject, "jane");
    assert_eq!(identity.groups, ["engineers", "ops"]);
    assert_eq!(identity.claims["tenant"], ["42"]);
    let token = signed(
        &Ed25519,
        &ed_secret(),
        &json!({"alg": "EdDSA", "kid": "ed"}),
        &claims(|_| ()),
    );
    assert_eq!(verify(&token).unwrap().subject, "jane");
}

type Edit = &'static dyn Fn(&mut Value);

#[test]
fn each_claim_is_checked() {
    let cases: [(Edit, Refusal); 12] = [
        (&|c| c["exp"] = json!(NOW - 31), Refusal::TokenExpired),
        (&|c| c["exp"] = Value::Null, Refusal::TokenMalformed),
        (&|c| c["exp"] = json!("1800000060"), Refusal::TokenMalformed),
        (
            &|c| {
                c.as_object_mut().unwrap().remove("exp");
            },
            Refusal::TokenExpired,
        ),
        (&|c| c["nbf"] = json!(NOW + 31), Refusal::TokenNotYetValid),
        (&|c| c["iat"] = json!(NOW + 31), Refusal::TokenNotYetValid),
        (&|c| c["aud"] = json!(["other"]), Refusal::AudienceMismatch),
        (
            &|c| {
                c.as_object_mut().unwrap().remove("aud");
            },
            Refusal::AudienceMismatch,
        ),
        (
            &|c| c["iss"] = json!("https://idp/"),
            Refusal::UnknownIssuer,
        ),
        (&|c| c["sub"] = json!(7), Refusal::SubjectMissing),
        (
            &|c| c["sub"] = json!("x".repeat(513)),
            Refusal::SubjectMissing,
        ),
        (
            &|c| c["azp"] = json!("x".repeat(513)),
            Refusal::TokenMalformed,
        ),
    ];
    for (index, (edit, refusal)) in cases.iter().enumerate() {
        assert_eq!(verify(&es256(edit)).unwrap_err(), *refusal, "case {index}");
    }
    for edit in [
        &(|c: &mut Value| c["exp"] = json!(NOW - 29)) as &dyn Fn(&mut Value),
        &|c| c["nbf"] = json!(NOW + 29),
        &|c| c["exp"] = json!(1_800_000_000.5),
        &|c| c["aud"] = json!(["other", "inference"]),
    ] {
        assert!(
            verify(&es256(edit)).is_ok(),
            "within the leeway, or another form"
        );
    }
}

#[test]
fn a_lifetime_can_be_bounded() {
    let bounded = verifier(|provider| provider["max_lifetime"] = json!("2m"));
    let check = |edit: &dyn Fn(&mut Value)| judge(&bounded, &es256(edit));
    assert!(check(&|_| ()).is_ok());
    assert_eq!(
        check(&|c| c["exp"] = json!(NOW + 61)).unwrap_err(),
        Refusal::LifetimeTooLong
    );
    let unbounded = |c: &mut Value| {
        c.as_object_mut().unwrap().remove("iat");
    };
    assert_eq!(check(&unbounded).unwrap_err(), Refusal::LifetimeTooLong);
}

#[test]
fn a_signature_must_be_of_the_right_key_and_algorithm() {
    let good = es256(|_| ());
    let (message, _) = good.rsplit_once('.').unwrap();
    assert_eq!(
        verify(&format!("{message}.")).unwrap_err(),
        Refusal::SignatureInvalid
    );
    assert_eq!(
        verify(&format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64]))).unwrap_err(),
        Refusal::SignatureInvalid
    );
    let header = |value: Value| signed(&Es256, &ec_secret(1), &value, &claims(|_| ()));
    assert_eq!(
        verify(&header(json!({"alg": "none"}))).unwrap_err(),
        Refusal::AlgorithmNotAllowed
    );
    assert_eq!(
        verify(&header(json!({"alg": "HS256"}))).unwrap_err(),
        Refusal::AlgorithmNotAllowed
    );
    assert_eq!(
        verify(&header(json!({"alg": "ES256", "kid": "b"}))).unwrap_err(),
        Refusal::UnknownKey
    );
    // The key of the other algorithm is never tried.
    assert_eq!(
        verify(&header(json!({"alg": "EdDSA", "kid": "a"}))).unwrap_err(),
        Refusal::UnknownKey
    );
    assert_eq!(
        verify(&header(json!({"alg": "RS256", "kid": "a"}))).unwrap_err(),
        Refusal::UnknownKey
    );
    for name in ["crit", "b64", "jwk", "jku", "x5u", "x5c"] {
        let mut value = json!({"alg": "ES256", "kid": "a"});
        value[name] = json!(["x"]);
        assert_eq!(
            verify(&header(value)).unwrap_err(),
            Refusal::HeaderNotSupported,
            "{name}"
        );
    }
    let forged = signed(
        &Es256,
        &ec_secret(2),
        &json!({"alg": "ES256", "kid": "a"}),
        &claims(|_| ()),
    );
    assert_eq!(verify(&forged).unwrap_err(), Refusal::SignatureInvalid);
    let only_eddsa = verifier(|provider| provider["algorithms"] = json!(["EdDSA"]));
    assert_eq!(
        judge(&only_eddsa, &good).unwrap_err(),
        Refusal::AlgorithmNotAllowed
    );
}

#[test]
fn other_forms_are_not_tokens() {
    let good = es256(|_| ());
    let twice = format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"a"}"#),
        URL_SAFE_NO_PAD.encode(r#"{"iss":"https://idp","iss":"https://idp"}"#),
        URL_SAFE_NO_PAD.encode([0; 64])
    );
    for text in [
        "",
        "a.b",
        "a.b.c",
        "...",
        &format!("{good}="),
        &format!("{good}.x"),
        &twice,
        &"a".repeat(20_000),
    ] {
        assert_eq!(
            verify(text).unwrap_err(),
            Refusal::TokenMalformed,
            "{text:.40}"
        );
    }
}

#[test]
fn keys_that_should_not_be_used_are_problems() {
    let load = |jwk: Value| {
        let policy = json!({
            "version": 1,
            "identity": {"providers": [{"name": "corp", "issuer": "i", "audiences": ["a"], "keys": {"jwks": {"keys": [jwk]}}}]},
            "rules": [{"name": "all", "then": "allow"}],
        });
        let policy = policy::load(&policy.to_string(), &|_| None).unwrap();
        Verifier::new(&policy.identity, None).unwrap_err()
    };
    let mut private = ec_public(1, "a");
    private["d"] = json!("AQ");
    let mut encryption = ec_public(1, "a");
    encryption["use"] = json!("enc");
    let mut other = ec_public(1, "a");
    other["alg"] = json!("ES384");
    for key in [
        private,
        encryption,
        other,
        json!({"kty": "oct", "k": "AQ"}),
        // Long enough, but no symmetric algorithm is named.
        json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode([7; 64])}),
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0x91; 128]), "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}),
        json!({}),
    ] {
        let problems = load(key.clone());
        assert_eq!(
            problems[0].path, "/identity/providers/0/keys/jwks/keys/0",
            "{key}"
        );
    }
}

#[test]
fn a_token_is_found_in_one_place_only() {
    let places = [
        TokenPlace {
            header: "authorization".to_owned(),
            scheme: Some("Bearer".to_owned()),
        },
        TokenPlace {
            header: "x-api-key".to_owned(),
            scheme: None,
        },
    ];
    let find = |headers: &[(&str, &[u8])]| {
        let headers: Vec<(&[u8], &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), *value))
            .collect();
        find_token(&places, &headers).map(|found| found.token.to_owned())
    };
    let taken = |token: &str| Ok(token.to_owned());
    assert_eq!(find(&[("authorization", b"bearer  abc ")]), taken("abc"));
    assert_eq!(find(&[("x-api-key", b"abc")]), taken("abc"));
    assert_eq!(
        find(&[("authorization", b"Basic abc")]),
        Err(Refusal::TokenMissing)
    );
    assert_eq!(
        find(&[("authorization", b"Bearer \xff")]),
        Err(Refusal::TokenMissing)
    );
    assert_eq!(
        find(&[("authorization", b"Bearer a"), ("x-api-key", b"b")]),
        Err(Refusal::SeveralTokens)
    );
    assert_eq!(
        find(&[
            ("authorization", b"Bearer a"),
            ("authorization", b"Bearer b")
        ]),
        Err(Refusal::SeveralTokens)
    );
}
