use core::time::Duration;

use super::{Algorithm, Document, Fetch, KeySource, Section, VerifyWith};
use crate::policy::load;

const PROVIDER: &str =
    r#""name": "corp", "issuer": "https://idp.example.com/a/", "audiences": ["inference"]"#;

fn environment(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned())
}

fn read(provider: &str, rest: &str) -> Result<Section, Vec<String>> {
    let text = format!(
        r#"{{"version": 1, "identity": {{"providers": [{{{PROVIDER}, {provider}}}]{rest}}},
        "rules": [{{"name": "all", "then": "allow"}}]}}"#
    );
    load(&text, &environment)
        .map(|policy| policy.identity)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn fetch(keys: &str) -> Fetch {
    let identity = read(&format!(r#""keys": {keys}"#), "").unwrap();
    match &identity.providers[0].keys {
        KeySource::Fetched(fetch) => (**fetch).clone(),
        KeySource::Inline(_) => panic!("keys that are fetched"),
    }
}

fn refused(provider: &str, expected: &str) {
    let problems = read(provider, "").unwrap_err();
    assert!(
        problems.iter().any(|one| one.contains(expected)),
        "{provider}: {problems:?}"
    );
}

#[test]
fn discovery_is_under_the_issuer() {
    let fetch =
        fetch(r#"{"discover": {"cluster": "idp", "keys_cluster": "keys", "refresh": "1m"}}"#);
    let Document::Metadata(url) = &fetch.document else {
        panic!("metadata first");
    };
    assert_eq!(url.authority, "idp.example.com");
    assert_eq!(url.path, "/a/.well-known/openid-configuration");
    assert_eq!(fetch.keys_cluster, "keys");
    assert_eq!(fetch.refresh, Duration::from_secs(60));
    assert_eq!(fetch.keep, Duration::from_secs(86_400));
}

#[test]
fn a_key_set_has_an_address_and_a_cluster() {
    let fetch = fetch(
        r#"{"jwks_uri": {"uri": "http://idp/keys?v=1", "cluster": "idp", "credential": "Bearer ${SECRET}"}}"#,
    );
    let Document::KeySet(url) = &fetch.document else {
        panic!("the key set at once");
    };
    assert_eq!(url.path, "/keys?v=1");
    assert!(!format!("{fetch:?}").contains("AAAA"));
    refused(
        r#""keys": {"jwks_uri": {"uri": "idp/keys", "cluster": "idp"}}"#,
        "/keys/jwks_uri/uri: found something else, expected an http or https URL without user information",
    );
    refused(
        r#""keys": {"jwks_uri": {"uri": "https://idp/keys"}}"#,
        "found no key \"cluster\"",
    );
}

#[test]
fn keys_have_one_source() {
    refused(
        r#""keys": {}"#,
        "found no \"jwks\", \"discover\" or \"jwks_uri\", expected one of them",
    );
    refused(
        r#""keys": {"jwks": {"keys": []}, "discover": {"cluster": "idp"}}"#,
        "found \"jwks\" and \"discover\", expected one of \"jwks\", \"discover\" and \"jwks_uri\"",
    );
    refused(
        r#""keys": {"file": "x"}"#,
        "/keys/file: found the unknown key",
    );
    refused(
        r#""keys": {"discover": {"cluster": "idp", "refresh": "1h", "keep": "1m"}}"#,
        "\"keep\" to be at least \"refresh\"",
    );
}

#[test]
fn a_secret_comes_from_the_environment_and_is_not_shown() {
    let identity = read(
        r#""algorithms": ["HS256"], "keys": {"jwks": {"keys": [{"kty": "oct", "k": "${SECRET}"}]}}"#,
        "",
    )
    .unwrap();
    let KeySource::Inline(keys) = &identity.providers[0].keys else {
        panic!("a key in the policy");
    };
    assert_eq!(keys[0].jwk["k"], environment("SECRET").unwrap());
    assert!(!format!("{identity:?}").contains("AAAA"));
    refused(
        r#""keys": {"jwks": {"keys": [{"kty": "oct", "k": "${NOPE}"}]}}"#,
        "NOPE",
    );
}

#[test]
fn an_entry_that_is_no_key_is_left_to_whoever_compiles_the_set() {
    let keys = r#""keys": {"jwks": {"keys": [null, "hunter2", 7, [], {"kty": "AKP"}]}}"#;
    let identity = read(keys, "").unwrap();
    let KeySource::Inline(keys) = &identity.providers[0].keys else {
        panic!("keys in the policy");
    };
    let places: Vec<&str> = keys.iter().map(|key| &*key.path).collect();
    assert_eq!(places.len(), 5);
    assert_eq!(places[4], "/identity/providers/0/keys/jwks/keys/4");
    assert!(!format!("{identity:?}").contains("hunter2"));
    // The list itself is none of a provider's making.
    refused(r#""keys": {"jwks": {"keys": {}}}"#, "expected a list");
    refused(r#""keys": {"jwks": []}"#, "/keys/jwks: found");
}

#[test]
fn symmetric_algorithms_are_named_and_have_keys_in_the_policy() {
    let identity = read(r#""keys": {"jwks": {"keys": []}}"#, "").unwrap();
    let usual = &identity.providers[0].algorithms;
    assert_eq!(usual.len(), 9);
    assert!(usual.iter().all(|one| !one.is_symmetric()));
    refused(
        r#""algorithms": ["HS256"], "keys": {"discover": {"cluster": "idp"}}"#,
        "a symmetric algorithm for keys that are fetched",
    );
    refused(
        r#""algorithms": ["none"], "keys": {"jwks": {"keys": []}}"#,
        "/algorithms/0: found \"none\"",
    );
    for (name, algorithm) in Algorithm::NAMES {
        assert_eq!(Algorithm::named(name), Some(algorithm));
        assert_eq!(algorithm.name(), name);
    }
}

#[test]
fn claims_are_paths_or_say_how_they_are_separated() {
    let identity = read(
        r#""keys": {"jwks": {"keys": []}}, "claims": {"groups": "roles", "scopes": "scope",
           "teams": {"at": "/ext/teams", "separator": ";"}}"#,
        "",
    )
    .unwrap();
    let claims = &identity.providers[0].claims;
    assert_eq!(claims.subject.path, "sub");
    assert_eq!(claims.groups.as_ref().unwrap().separator, None);
    assert_eq!(claims.others["scopes"].separator.as_deref(), Some(" "));
    assert_eq!(claims.others["teams"].path, "/ext/teams");
    assert_eq!(claims.others["teams"].separator.as_deref(), Some(";"));
}

#[test]
fn the_host_and_the_cache_are_chosen() {
    let keys = r#""keys": {"jwks": {"keys": []}}"#;
    let identity = read(keys, "").unwrap();
    assert_eq!(identity.verify_with, VerifyWith::Auto);
    assert_eq!(identity.cache, 4096);
    let identity = read(keys, r#", "verify_with": "filter", "cache": 0"#).unwrap();
    assert_eq!(identity.verify_with, VerifyWith::Filter);
    assert_eq!(identity.cache, 0);
    let problems = read(keys, r#", "verify_with": "both", "cache": 100000"#).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}
