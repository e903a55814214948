use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use testbed::idp::{Alg, Idp, with};

use crate::harness::{Folder, command};

fn idp() -> &'static Idp {
    static IDP: OnceLock<Idp> = OnceLock::new();
    IDP.get_or_init(|| Idp::start().unwrap())
}

/// One provider, whose keys are these.
fn provider(name: &str, issuer: &str, keys: &Value) -> Value {
    json!({
        "name": name, "issuer": issuer, "audiences": ["inference"],
        "keys": keys, "claims": {"groups": "groups"},
    })
}

fn policy(providers: &Value) -> Value {
    json!({
        "version": 1,
        "identity": {"providers": providers},
        "upstream": {"credential": {"header": "authorization", "value": "Bearer ${KEY}"}},
        "approvals": {"cluster": "desk", "credential": "Bearer ${DESK}"},
        "rules": [
            {"name": "no-robots", "when": {"kind": ["service"]}, "then": "deny"},
            {"name": "ask-for-big", "when": {"model": ["big-*"], "not": {"group": ["leads"]}},
             "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "engineers", "when": {"group": ["engineers"]}, "then": "allow"},
            {"name": "late", "then": "deny"},
        ],
    })
}

fn inline() -> Value {
    policy(&json!([provider(
        "corp",
        &idp().issuer(),
        &json!({"jwks": idp().jwks()})
    )]))
}

fn fetched() -> Value {
    let discover = json!({"discover": {"cluster": "idp"}});
    policy(&json!([provider("corp", &idp().issuer(), &discover)]))
}

struct Desk {
    folder: Folder,
    policy: PathBuf,
}

impl Desk {
    fn with(policy: &Value) -> Self {
        let folder = Folder::new();
        let policy = folder.write("policy.json", &policy.to_string());
        Self { folder, policy }
    }

    fn explain(&self, token: &str, arguments: &[&str]) -> Output {
        let mut child = command()
            .args(["token", "explain", "--policy"])
            .arg(&self.policy)
            .args(arguments)
            .env("PORTCULLIS_TEST_SECRET", secret())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that fails before it reads closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(token.as_bytes());
        child.wait_with_output().unwrap()
    }
}

fn secret() -> String {
    idp().secrets()["keys"][0]["k"].as_str().unwrap().to_owned()
}

/// Standard output of a run that ended with this status and said nothing else.
fn said(output: &Output, status: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(status), "{text}{error}");
    assert_eq!(error, "");
    text
}

fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!error.is_empty());
    error
}

/// The line of a check.
fn step<'t>(text: &'t str, name: &str) -> &'t str {
    let mut lines = text.lines();
    lines
        .find(|line| line.split_whitespace().nth(1) == Some(name))
        .unwrap_or_else(|| panic!("no step {name}: {text}"))
}

#[test]
fn a_good_token_is_accepted_and_its_rules_are_told() {
    let desk = Desk::with(&inline());
    let token = idp().good("ana", &["engineers"]);
    let signature = token.rsplit('.').next().unwrap();
    for input in [
        token.clone(),
        format!("{token}\r\n"),
        format!("bearer  {token}\n"),
    ] {
        let text = said(&desk.explain(&input, &[]), 0);
        assert!(text.contains("\naccepted\n"), "{text}");
        assert!(step(&text, "subject").starts_with("ok "), "{text}");
        assert!(!text.contains(signature), "{text}");
        let (_, rules) = text.split_once("Rules, in order:\n").unwrap();
        assert_eq!(
            rules,
            "no-robots   deny     can't: kind\n\
             ask-for-big approve  can apply (depends on model)\n\
             engineers   allow    can apply (depends on operation)\n\
             late        deny     applies\n\
             What no rule allows is denied.\n"
        );
    }
}

#[test]
fn a_refused_token_is_explained_whole() {
    let desk = Desk::with(&inline());
    let claims = idp().claims("ana", &["leads"]);
    let claims = with(claims, "exp", json!(1_795_262_400_u64));
    let claims = with(
        with(claims, "iat", json!(1_795_262_000_u64)),
        "nbf",
        json!(0),
    );
    let token = idp().token(&with(claims, "aud", json!("billing")), Alg::EdDsa);
    let text = said(&desk.explain(&token, &["--at", "2026-11-21T12:03:20Z"]), 1);
    assert!(text.contains("\nrefused: token_expired\n"), "{text}");
    assert!(
        step(&text, "time").contains("expired 3 minutes ago: it is 2026-11-21T12:03:20Z"),
        "{text}"
    );
    assert!(step(&text, "signature").starts_with("ok "), "{text}");
    assert_eq!(
        step(&text, "audience"),
        "no       audience   aud \"billing\", expected \"inference\""
    );
    assert!(
        text.contains("Rules, in order, were the token accepted:"),
        "{text}"
    );
    assert!(text.contains("can't: not group"), "{text}");
    let text = said(&desk.explain(&token, &["--at", "1795262399"]), 1);
    assert!(text.contains("\nrefused: audience_mismatch\n"), "{text}");

    let text = said(&desk.explain("open-sesame", &[]), 1);
    assert!(text.contains("\nrefused: token_malformed\n"), "{text}");
    assert!(text.contains("no rule can be reached"), "{text}");
}

#[test]
fn a_caller_whom_no_header_can_name_is_refused() {
    let mut policy = inline();
    policy["upstream"]["identity_headers"] = json!({"groups": "x-groups"});
    let desk = Desk::with(&policy);
    said(&desk.explain(&idp().good("ana", &["a", "b"]), &[]), 0);
    let text = said(&desk.explain(&idp().good("ana", &["a,b"]), &[]), 1);
    assert!(
        text.contains("\nrefused: identity_not_a_header\n"),
        "{text}"
    );
    assert!(step(&text, "headers").contains("x-groups"), "{text}");
}

#[test]
fn keys_that_are_fetched_can_be_given() {
    let desk = Desk::with(&fetched());
    let token = idp().good("ana", &[]);
    let text = said(&desk.explain(&token, &[]), 3);
    let expected = format!(
        "keys come from {}/.well-known/openid-configuration; give them with --keys",
        idp().issuer()
    );
    assert!(step(&text, "signature").starts_with("skipped "), "{text}");
    assert!(step(&text, "signature").ends_with(&expected), "{text}");
    assert!(text.contains("\nundecided: "), "{text}");
    let late = idp().expired("ana", &[]);
    assert!(said(&desk.explain(&late, &[]), 1).contains("\nrefused: token_expired\n"));

    let keys = desk.folder.write("keys.json", &idp().jwks().to_string());
    let keys = keys.to_str().unwrap();
    let named = format!("corp={keys}");
    said(&desk.explain(&token, &["--keys", keys]), 0);
    said(&desk.explain(&token, &["--keys", &named]), 0);
    let forged = desk.explain(&idp().forged("ana", &[]), &["--keys", keys]);
    assert!(said(&forged, 1).contains("\nrefused: signature_invalid\n"));
    let error = failed(&desk.explain(&token, &["--keys", "missing.json"]));
    assert!(error.contains("missing.json"), "{error}");
    let error = failed(&desk.explain(&token, &["--keys", keys, "--keys", keys]));
    assert!(error.contains("has its keys already"), "{error}");
}

#[test]
fn keys_are_given_by_name_where_several_providers_fetch_them() {
    let discover = json!({"discover": {"cluster": "idp"}});
    let uri = json!({"jwks_uri": {"uri": "https://other/keys", "cluster": "idp"}});
    let desk = Desk::with(&policy(&json!([
        provider("corp", &idp().issuer(), &discover),
        provider("other", "https://other", &uri),
    ])));
    let token = idp().good("ana", &[]);
    let keys = desk.folder.write("keys.json", &idp().jwks().to_string());
    let keys = keys.to_str().unwrap();
    let error = failed(&desk.explain(&token, &["--keys", keys]));
    assert!(error.contains("one of corp, other"), "{error}");
    let named = format!("corp={keys}");
    said(&desk.explain(&token, &["--keys", &named]), 0);
    let named = format!("other={keys}");
    said(&desk.explain(&token, &["--keys", &named]), 3);
    let error = failed(&Desk::with(&inline()).explain(&token, &["--keys", keys]));
    assert!(error.contains("stand in the policy"), "{error}");
}

#[test]
fn secrets_come_from_the_environment_if_it_may_be_looked_at() {
    let mut key = idp().secrets()["keys"][0].clone();
    key["k"] = json!("${PORTCULLIS_TEST_SECRET}");
    let mut corp = provider("corp", &idp().issuer(), &json!({"jwks": {"keys": [key]}}));
    corp["algorithms"] = json!(["HS256"]);
    let mut policy = policy(&json!([corp]));
    for section in ["upstream", "approvals"] {
        policy.as_object_mut().unwrap().remove(section);
    }
    policy["rules"] = json!([{"name": "all", "then": "allow"}]);
    let desk = Desk::with(&policy);
    let token = idp().token(&idp().claims("ana", &[]), Alg::Hs256);
    let text = said(&desk.explain(&token, &["--env"]), 0);
    assert!(!text.contains(&secret()), "{text}");
    let error = failed(&desk.explain(&token, &[]));
    assert!(error.contains("give --env"), "{error}");
    // A check without the environment takes any secret for a good one.
    let output = command().arg("check").arg(&desk.policy).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn what_cannot_be_judged_is_told_apart() {
    let desk = Desk::with(&inline());
    let token = idp().good("ana", &[]);
    let error = failed(&desk.explain(" \n", &[]));
    assert!(error.contains("no token on standard input"), "{error}");
    let error = failed(&desk.explain(&"x".repeat(2 << 20), &[]));
    assert!(error.contains("longer than"), "{error}");
    let error = failed(&desk.explain(&token, &["--at", "noon"]));
    assert!(error.contains("--at \"noon\""), "{error}");
    let error = failed(&desk.explain(&token, &["--env"]));
    assert!(error.contains("/upstream/credential/value: "), "{error}");
    let mut wrong = inline();
    wrong["surprise"] = json!(1);
    let error = failed(&Desk::with(&wrong).explain(&token, &[]));
    assert!(error.contains("/surprise: "), "{error}");
}
