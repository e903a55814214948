//! Keys that change: a new one costs one wait, made-up ones cost nothing, and one that is gone
//! takes its tokens along.

use std::time::Instant;

use serde_json::{Value, json};
use testbed::http::Client;
use testbed::idp::{Alg, Fetches, Idp};

use super::{call, discovered, trusting, until};
use crate::support::{Guarded, chat, code};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(
    an_unknown_key_is_asked_for_once,
    made_up_keys_do_not_reach_the_provider,
    a_key_that_is_gone_takes_its_tokens_along,
);

/// An Envoy that trusts one provider.
fn start(version: &str, idp: &Idp, timings: &Value) -> Guarded {
    let provider = discovered("idp", &idp.issuer(), timings);
    Guarded::start_with(version, &trusting(&[provider]), |builder| {
        builder.concurrency(4).cluster("idp", idp.port())
    })
}

fn an_unknown_key_is_asked_for_once(version: &str) {
    let idp = Idp::start().unwrap();
    let guarded = start(version, &idp, &json!({"refresh": "1h", "cooldown": "1s"}));
    let old = idp.good("ana", &[]);
    assert_eq!(call(&guarded, &old).status, 200);
    assert_eq!(idp.fetches().jwks, 1);

    idp.rotate_beside().unwrap();
    let answer = call(&guarded, &idp.good("ana", &[]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(idp.fetches().jwks, 2);
    // Both are known now, to every worker.
    for _ in 0..40 {
        assert_eq!(call(&guarded, &idp.good("ana", &[])).status, 200);
        assert_eq!(call(&guarded, &old).status, 200);
    }
    assert_eq!(idp.fetches().jwks, 2);

    // Many requests at once with a new key share one fetch.
    until_fetched_again(&guarded, &idp);
    let before = idp.fetches().jwks;
    let tokens: Vec<String> = (0..16).map(|_| idp.good("ana", &[])).collect();
    let asked: Vec<_> = tokens
        .iter()
        .map(|token| {
            let client = Client::http1(guarded.mesh.port()).unwrap();
            client.start(chat(token, "hello")).unwrap()
        })
        .collect();
    for request in asked {
        let answer = request.response().unwrap().read();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!(idp.fetches().jwks <= before + 1, "{:?}", idp.fetches());
}

/// Rotates, and calls with the new key until it is known: the cooldown is over then.
fn until_fetched_again(guarded: &Guarded, idp: &Idp) {
    idp.rotate().unwrap();
    until(guarded, 200, || idp.good("ana", &[]));
}

fn made_up_keys_do_not_reach_the_provider(version: &str) {
    let idp = Idp::start().unwrap();
    let timings = json!({"refresh": "1h", "cooldown": "2s", "wait": "10s"});
    let guarded = start(version, &idp, &timings);
    let vms = Vms::of(&guarded.mesh);
    let good = idp.good("ana", &[]);
    assert_eq!(call(&guarded, &good).status, 200);
    let (begun, before) = (guarded.model.begun(), idp.fetches());

    let started = Instant::now();
    let claims = idp.claims("mallory", &[]);
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let mut unknown = 0;
    for wave in 0..2 {
        let flood: Vec<_> = (0..200)
            .map(|at| {
                let kid = format!("made-up-{wave}-{at}");
                let header = json!({"alg": "ES256", "typ": "JWT", "kid": kid});
                let token = idp.token_with(&header, &claims, Alg::Es256);
                client.start(chat(&token, "hello")).unwrap()
            })
            .collect();
        for request in flood {
            let answer = request.response().unwrap().read();
            match answer.status {
                401 => {
                    assert_eq!(code(&answer), "unknown_key");
                    unknown += 1;
                }
                // More wait than may.
                503 => assert_eq!(code(&answer), "keys_unavailable"),
                other => panic!("{other}: {}", answer.text()),
            }
        }
    }
    assert!(unknown > 0);
    assert_eq!(guarded.model.begun(), begun);
    // At most one fetch each two seconds, for hundreds of keys that nobody has.
    let most = usize::try_from(started.elapsed().as_secs()).unwrap() / 2 + 1;
    let Fetches { discovery, jwks } = idp.fetches();
    assert!(jwks <= before.jwks + most, "{jwks}, at most {most} more");
    assert!(discovery <= before.discovery + most, "{discovery}");
    assert_eq!(call(&guarded, &good).status, 200);
    vms.all_live(&guarded.mesh);
}

fn a_key_that_is_gone_takes_its_tokens_along(version: &str) {
    let idp = Idp::start().unwrap();
    let guarded = start(version, &idp, &json!({"refresh": "1s"}));
    let claims = idp.claims("ana", &[]);
    let token = |alg| idp.token(&claims, alg);
    let (kept, removed, replaced) = (token(Alg::EdDsa), token(Alg::Rs256), token(Alg::Es256));
    // Often enough that every worker has them in its cache.
    for _ in 0..20 {
        for token in [&kept, &removed, &replaced] {
            assert_eq!(call(&guarded, token).status, 200);
        }
    }

    let mut jwks = idp.jwks();
    let keys = jwks["keys"].as_array_mut().unwrap();
    keys.retain(|key| key["kid"] != idp.kid(Alg::Rs256));
    let other = Idp::start().unwrap().jwks();
    for key in keys.iter_mut().filter(|key| key["alg"] == "ES256") {
        // The same name, another key.
        let others = other["keys"].as_array().unwrap();
        let of_other = others.iter().find(|one| one["alg"] == "ES256").unwrap();
        key["x"] = of_other["x"].clone();
        key["y"] = of_other["y"].clone();
    }
    idp.publish(jwks);
    let answer = until(&guarded, 401, || removed.clone());
    assert_eq!(code(&answer), "unknown_key");
    let answer = until(&guarded, 401, || replaced.clone());
    assert_eq!(code(&answer), "signature_invalid");
    // The other workers take it over when they next look.
    let begun = guarded.model.begun();
    let mut refused = 0;
    let everywhere = || {
        let statuses = [&removed, &replaced].map(|token| call(&guarded, token).status);
        refused = if statuses == [401, 401] {
            refused + 1
        } else {
            0
        };
        refused == 40
    };
    testbed::wait::until("every worker to refuse them", super::PATIENCE, everywhere).unwrap();
    assert!(guarded.model.begun() >= begun);
    assert_eq!(call(&guarded, &kept).status, 200);
}
