use std::env;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::idp::AUDIENCE;

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn published(provider: &Oidc) -> Vec<String> {
    let jwks = http::get(provider.port(), "/jwks").unwrap().json();
    let keys = jwks["keys"].as_array().unwrap();
    let ids = keys.iter().map(|key| key["kid"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[test]
fn it_gives_tokens_and_keeps_its_keys() {
    if let Err(why) = Oidc::installed() {
        // The same variable as for the other clients and servers of other people.
        assert!(env::var_os("PORTCULLIS_REQUIRE_CLIENTS").is_none(), "{why}");
        eprintln!("skipped, since oidc-provider can't be installed: {why}");
        return;
    }
    let mut provider = Oidc::start().unwrap();
    let token = provider.token().unwrap();
    assert_eq!(part(&token, 0)["alg"], "RS256");
    assert_eq!(part(&token, 0)["kid"], "key-1");
    assert_eq!(part(&token, 1)["iss"], provider.issuer());
    assert_eq!(part(&token, 1)["aud"], AUDIENCE);
    assert_eq!(part(&token, 1)["sub"], "batch");
    assert_eq!(published(&provider), ["key-1"]);

    provider.rotate().unwrap();
    assert_eq!(published(&provider), ["key-2", "key-1"]);
    assert_eq!(part(&provider.token().unwrap(), 0)["kid"], "key-2");
    provider.go_away();
    assert!(http::get(provider.port(), "/jwks").is_err());
    provider.come_back().unwrap();
    assert_eq!(published(&provider), ["key-2", "key-1"]);
    provider.retire().unwrap();
    assert_eq!(published(&provider), ["key-2"]);

    let liar = Oidc::start_as(|port| format!("http://localhost:{port}")).unwrap();
    let found = http::get(liar.port(), "/.well-known/openid-configuration").unwrap();
    assert_eq!(found.json()["issuer"], liar.issuer());
}
