use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::Es256;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Explanation, NoNative, Outcome, Refusal, Stand, Unverified, Verifier};
use crate::policy;
use crate::testing::{ec_public, ec_secret, signed};

const NOW: u64 = 1_800_000_000;

fn now() -> Duration {
    Duration::from_secs(NOW)
}

/// A verifier of the provider corp, and of those that are put in besides.
fn verifier(edit: impl Fn(&mut Value)) -> Verifier {
    let mut providers = json!([{
        "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
        "keys": {"jwks": {"keys": [ec_public(1, "a"), ec_public(3, "c")]}},
        "claims": {"groups": "groups", "tenant": "org.id", "scopes": "scope"},
        "types": ["at+jwt"], "clients": ["web-*"], "max_lifetime": "2h",
    }]);
    edit(&mut providers);
    let policy = json!({
        "version": 1, "identity": {"providers": providers},
        "rules": [{"name": "all", "then": "allow"}],
    });
    let policy = policy::load(&policy.to_string(), &|_| None).unwrap();
    Verifier::new(&policy.identity, None).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": "https://idp", "aud": "inference", "sub": "jane", "azp": "web-1",
        "exp": NOW + 60, "iat": NOW - 60, "groups": ["engineers"], "org": {"id": 42},
    })
}

fn with(mut value: Value, name: &str, to: Value) -> Value {
    value[name] = to;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "a", "typ": "at+jwt"})
}

fn token(header: &Value, claims: &Value) -> String {
    signed(&Es256, &ec_secret(1), header, claims)
}

/// Explains, and checks what holds of every explanation: its verdict is the filter's, and so is
/// the first check that failed.
fn explain(verifier: &Verifier, token: &str) -> Explanation {
    let explained = verifier.explain(token, now());
    let failed = explained.steps.iter().find_map(|step| match step.outcome {
        Outcome::No(refusal) => Some(refusal),
        _ => None,
    });
    match verifier.verify(token, now(), now(), &NoNative) {
        Ok(identity) => {
            assert_eq!(explained.stand, Stand::Accepts);
            assert_eq!(failed, None, "{:#?}", explained.steps);
            assert!(explained.steps.iter().all(|one| one.outcome == Outcome::Ok));
            assert_eq!(explained.claimed.as_ref(), Some(&*identity));
        }
        Err(Unverified::Refused(refusal)) => {
            assert_eq!(explained.stand, Stand::Refuses(refusal));
            assert_eq!(failed, Some(refusal), "{:#?}", explained.steps);
        }
        Err(Unverified::Wait(_)) => {
            let stand = failed.map_or(Stand::Undecided, Stand::Refuses);
            assert_eq!(explained.stand, stand, "{:#?}", explained.steps);
        }
    }
    let names: Vec<&str> = explained.steps.iter().map(|step| step.name).collect();
    assert_eq!(
        names,
        [
            "form",
            "header",
            "claims",
            "issuer",
            "algorithm",
            "key",
            "signature",
            "type",
            "dates",
            "lifetime",
            "time",
            "audience",
            "subject",
            "groups",
            "client",
            "kind",
            "others",
        ]
    );
    let signature = token.rsplit('.').next().unwrap_or_default();
    for step in &explained.steps {
        assert!(!step.text.chars().any(char::is_control), "{step:?}");
        let shown = signature.len() >= 8 && step.text.contains(signature);
        assert!(!shown, "{step:?}");
    }
    explained
}

fn text<'e>(explained: &'e Explanation, name: &str) -> &'e str {
    let step = explained.steps.iter().find(|step| step.name == name);
    &step.unwrap().text
}

fn outcome(explained: &Explanation, name: &str) -> Outcome {
    let step = explained.steps.iter().find(|step| step.name == name);
    step.unwrap().outcome
}

#[test]
fn a_good_token_is_accepted_at_each_step() {
    let explained = explain(&verifier(|_| ()), &token(&header(), &claims()));
    assert_eq!(explained.stand, Stand::Accepts);
    assert_eq!(explained.provider.as_deref(), Some("corp"));
    for (name, expected) in [
        ("header", "alg \"ES256\", kid \"a\", typ \"at+jwt\""),
        ("issuer", "\"https://idp\", the provider \"corp\""),
        ("key", "\"a\" found among 2 keys"),
        ("lifetime", "2 minutes, expected at most 2 hours"),
        (
            "time",
            "it is 2027-01-15T08:00:00Z, and it expires in 1 minute",
        ),
        ("audience", "aud \"inference\", expected \"inference\""),
        ("groups", "1 group: \"engineers\""),
        ("kind", "person: nothing shows a service"),
        ("others", "scopes: no claim \"scope\"; tenant = \"42\""),
    ] {
        assert_eq!(text(&explained, name), expected, "{name}");
    }
}

#[test]
fn each_refusal_has_its_step() {
    let verifier = verifier(|_| ());
    let of = |header: Value, claims: Value| explain(&verifier, &token(&header, &claims));
    let claim = |name: &str, value: Value| of(header(), with(claims(), name, value));
    let head = |name: &str, value: Value| of(with(header(), name, value), claims());
    use Refusal as R;
    for (explained, step, refusal, words) in [
        (
            head("crit", json!(["x"])),
            "header",
            R::HeaderNotSupported,
            "\"crit\"",
        ),
        (head("kid", json!(7)), "header", R::TokenMalformed, "kid"),
        (
            of(without(header(), "alg"), claims()),
            "header",
            R::TokenMalformed,
            "alg",
        ),
        (
            claim("iss", json!("https://idp/")),
            "issuer",
            R::UnknownIssuer,
            "slash",
        ),
        (
            claim("iss", json!("x")),
            "issuer",
            R::UnknownIssuer,
            "expected \"https://idp\"",
        ),
        (
            head("alg", json!("none")),
            "algorithm",
            R::AlgorithmNotAllowed,
            "expected RS256, ",
        ),
        (
            head("alg", json!("HS256")),
            "algorithm",
            R::AlgorithmNotAllowed,
            "\"HS256\"",
        ),
        (
            head("alg", json!("RS256")),
            "key",
            R::UnknownKey,
            "\"a\" is not a key for RS256",
        ),
        (
            head("kid", json!("b")),
            "key",
            R::UnknownKey,
            "not found among 2 keys: \"a\", \"c\"",
        ),
        (
            head("kid", json!("c")),
            "signature",
            R::SignatureInvalid,
            "not that key's",
        ),
        (
            head("typ", json!("JWT")),
            "type",
            R::TypeNotAccepted,
            "\"JWT\", expected \"at+jwt\"",
        ),
        (
            of(without(header(), "typ"), claims()),
            "type",
            R::TypeNotAccepted,
            "none",
        ),
        (
            claim("exp", json!("soon")),
            "dates",
            R::TokenMalformed,
            "exp \"soon\"",
        ),
        (
            of(header(), without(claims(), "exp")),
            "dates",
            R::TokenExpired,
            "no exp",
        ),
        (
            claim("exp", json!(NOW + 9000)),
            "lifetime",
            R::LifetimeTooLong,
            "2 hours, expected",
        ),
        (
            claim("exp", json!(NOW - 185)),
            "time",
            R::TokenExpired,
            "expired 3 minutes ago",
        ),
        (
            claim("nbf", json!(NOW + 40)),
            "time",
            R::TokenNotYetValid,
            "begins in 40 seconds",
        ),
        (
            claim("aud", json!(["a", "b"])),
            "audience",
            R::AudienceMismatch,
            "[\"a\",\"b\"]",
        ),
        (
            claim("sub", json!(7)),
            "subject",
            R::SubjectMissing,
            "sub 7",
        ),
        (
            claim("azp", json!("cli")),
            "client",
            R::ClientNotAccepted,
            "\"cli\", expected \"web-*\"",
        ),
        (
            claim("azp", json!("web-".repeat(129))),
            "client",
            R::TokenMalformed,
            "at most 512 bytes",
        ),
        (
            claim("groups", json!(vec!["x"; 1001])),
            "groups",
            R::TokenMalformed,
            "too many",
        ),
        (
            of(
                header(),
                with(without(claims(), "groups"), "hasgroups", json!(true)),
            ),
            "groups",
            R::GroupsOverage,
            "kept at the provider",
        ),
    ] {
        assert_eq!(explained.stand, Stand::Refuses(refusal), "{step} {words}");
        assert_eq!(outcome(&explained, step), Outcome::No(refusal), "{words}");
        assert!(
            text(&explained, step).contains(words),
            "{:?}",
            text(&explained, step)
        );
    }
}

#[test]
fn the_checks_go_on_after_the_first_that_fails() {
    let late = with(
        with(claims(), "exp", json!(NOW - 185)),
        "aud",
        json!("other"),
    );
    let explained = explain(
        &verifier(|_| ()),
        &token(&with(header(), "kid", json!("c")), &late),
    );
    assert_eq!(explained.stand, Stand::Refuses(Refusal::SignatureInvalid));
    for name in ["signature", "time", "audience"] {
        assert!(
            matches!(outcome(&explained, name), Outcome::No(_)),
            "{name}"
        );
    }
    // Whom it claims to be is known though nothing proves it.
    assert_eq!(explained.claimed.unwrap().subject, "jane");

    // A misspelt issuer doesn't hide that all else is right.
    let other = with(claims(), "iss", json!("https://idp/"));
    let explained = explain(&verifier(|_| ()), &token(&header(), &other));
    assert_eq!(outcome(&explained, "signature"), Outcome::Ok);
    assert_eq!(explained.claimed, None);
    assert_eq!(explained.provider, None);
}

#[test]
fn other_forms_are_told_apart() {
    let verifier = verifier(|_| ());
    let good = token(&header(), &claims());
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let twice = format!(
        "{}.{}.AAAA",
        part(&header().to_string()),
        part(r#"{"a":1,"a":2}"#)
    );
    let encrypted = format!("{}.a.b.c.d", part(r#"{"alg":"dir","enc":"A128GCM"}"#));
    for (token, step, words) in [
        ("", "form", "1 part"),
        ("a.b", "form", "2 parts"),
        (&encrypted, "form", "encrypted"),
        (&format!("{good}.x"), "form", "4 parts"),
        (
            &format!("{good}="),
            "claims",
            "the signature is not base64url",
        ),
        (&"a".repeat(20_000), "form", "1 part"),
        (
            &format!("{}.b.c", "a".repeat(20_000)),
            "form",
            "20004 bytes",
        ),
        (&twice, "claims", "\"a\" occurs twice"),
        (&format!("{}.e30.AAAA", part("[]")), "header", "no object"),
    ] {
        let explained = explain(&verifier, token);
        assert!(
            matches!(outcome(&explained, step), Outcome::No(_)),
            "{token:.40}"
        );
        assert!(
            text(&explained, step).contains(words),
            "{}",
            text(&explained, step)
        );
    }
}

#[test]
fn keys_that_are_fetched_are_asked_for() {
    let verifier = verifier(|providers| {
        providers[0]["keys"] = json!({"discover": {"cluster": "idp"}});
    });
    let good = token(&header(), &claims());
    let explained = explain(&verifier, &good);
    assert_eq!(explained.stand, Stand::Undecided);
    assert_eq!(outcome(&explained, "signature"), Outcome::Skipped);
    assert_eq!(
        text(&explained, "signature"),
        "keys come from https://idp/.well-known/openid-configuration; give them with --keys"
    );
    // It is refused whatever the keys are.
    let late = token(&header(), &with(claims(), "exp", json!(NOW - 100)));
    let explained = explain(&verifier, &late);
    assert_eq!(explained.stand, Stand::Refuses(Refusal::TokenExpired));

    let set = json!({"keys": [ec_public(1, "a"), {"kty": "new"}]}).to_string();
    assert!(verifier.bring_keys("other", set.as_bytes()).is_err());
    assert!(verifier.bring_keys("corp", b"{}").is_err());
    assert_eq!(verifier.bring_keys("corp", set.as_bytes()), Ok(1));
    assert!(
        verifier.bring_keys("corp", set.as_bytes()).is_err(),
        "twice"
    );
    assert_eq!(explain(&verifier, &good).stand, Stand::Accepts);
    let unknown = token(&with(header(), "kid", json!("b")), &claims());
    assert_eq!(
        explain(&verifier, &unknown).stand,
        Stand::Refuses(Refusal::UnknownKey)
    );
}

#[test]
fn among_several_providers_the_issuer_tells() {
    let verifier = verifier(|providers| {
        let second = json!({
            "name": "mesh", "issuer": "spiffe://example.org", "audiences": ["inference"],
            "keys": {"jwks": {"keys": [ec_public(2, "m")]}},
        });
        providers.as_array_mut().unwrap().push(second);
    });
    let svid = json!({
        "sub": "spiffe://example.org/ns/ml/sa/batch", "aud": ["inference"], "exp": NOW + 60,
    });
    let header = json!({"alg": "ES256", "kid": "m"});
    let explained = explain(&verifier, &signed(&Es256, &ec_secret(2), &header, &svid));
    assert_eq!(explained.stand, Stand::Accepts);
    assert!(text(&explained, "issuer").contains("no \"iss\""));
    assert!(text(&explained, "kind").starts_with("service: "));
    let nobody = with(claims(), "iss", json!("https://elsewhere"));
    let explained = explain(&verifier, &token(&header, &nobody));
    assert_eq!(explained.stand, Stand::Refuses(Refusal::UnknownIssuer));
    assert_eq!(outcome(&explained, "signature"), Outcome::Skipped);
    assert_eq!(
        text(&explained, "issuer"),
        "\"https://elsewhere\", expected \"https://idp\", \"spiffe://example.org\""
    );
}

#[test]
fn what_a_terminal_obeys_is_escaped() {
    let wild = with(claims(), "sub", json!("\u{1b}[2J\u{9b}31m\u{202e}\r\nok"));
    let explained = explain(&verifier(|_| ()), &token(&header(), &wild));
    let shown = text(&explained, "subject");
    assert!(shown.is_ascii(), "{shown}");
    let long = with(claims(), "sub", json!("x".repeat(500)));
    let explained = explain(&verifier(|_| ()), &token(&header(), &long));
    assert!(text(&explained, "subject").len() < 200);
}

fn some(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    proptest::sample::select(values).prop_map(|text| serde_json::from_str(text).unwrap())
}

proptest! {
    /// However many things are wrong at once, the explanation's verdict is the filter's.
    #[test]
    fn verdicts_are_the_filter_s(
        alg in some(&["\"ES256\"", "\"ES256\"", "\"none\"", "\"RS256\"", "7"]),
        kid in some(&["\"a\"", "\"a\"", "\"c\"", "\"b\"", "null"]),
        typ in some(&["\"at+jwt\"", "\"application/AT+JWT\"", "\"JWT\""]),
        crit in any::<bool>(),
        iss in some(&["\"https://idp\"", "\"https://idp\"", "\"x\"", "1"]),
        aud in some(&["\"inference\"", "[\"a\", \"inference\"]", "\"a\"", "null"]),
        sub in some(&["\"jane\"", "\"jane\"", "7", "\"\""]),
        exp in some(&["1800000060", "1799999980", "1799999960", "1800009999", "\"x\"", "-1"]),
        nbf in some(&["0", "1800000020", "1800000050", "null"]),
        azp in some(&["\"web-1\"", "\"web-1\"", "\"cli\"", "null"]),
        overage in any::<bool>(),
        fetched in any::<bool>(),
    ) {
        let verifier = verifier(|providers| if fetched {
            providers[0]["keys"] = json!({"discover": {"cluster": "idp"}});
        });
        let mut header = json!({"alg": alg, "kid": kid, "typ": typ});
        if crit { header["crit"] = json!(["x"]); }
        let mut claims = json!({
            "iss": iss, "aud": aud, "sub": sub, "exp": exp, "nbf": nbf, "azp": azp,
            "iat": NOW - 60,
        });
        if overage { claims["_claim_names"] = json!({"groups": "src1"}); }
        explain(&verifier, &token(&header, &claims));
    }

    #[test]
    fn no_bytes_are_too_strange(token in "[a-zA-Z0-9._=-]{0,80}|\\PC{0,40}") {
        explain(&verifier(|_| ()), &token);
    }
}
