//! A provider that nobody here wrote: `oidc-provider`, which runs in Node.

use std::env;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::envoy::CURRENT;
use testbed::http::{Client, Request};
use testbed::idp::{Alg, Idp, with};
use testbed::oidc::Oidc;
use testbed::wait;

use super::{PATIENCE, call, discovered, is_without_keys, trusting, until};
use crate::installed::REQUIRED;
use crate::support::{Guarded, code};
use crate::vms::Vms;

/// How long the provider stays away.
const OUTAGE: Duration = Duration::from_secs(60);

/// Time between two requests of a stream, so that it leaves the machine to other tests.
const PAUSE: Duration = Duration::from_millis(20);

#[test]
fn an_openid_provider_is_trusted_through_rotation_and_outage() {
    if let Err(why) = Oidc::installed() {
        assert!(env::var_os(REQUIRED).is_none(), "{why}");
        eprintln!("skipped, since oidc-provider can't be installed: {why}");
        return;
    }
    let mut provider = Oidc::start().unwrap();
    // It calls itself by another name than the policy does.
    let liar = Oidc::start_as(|port| format!("http://localhost:{port}")).unwrap();
    let expected = format!("http://127.0.0.1:{}", liar.port());
    let timings = json!({"refresh": "2s", "timeout": "2s", "wait": "10s", "cooldown": "1s"});
    let mut trusted = discovered("provider", provider.issuer(), &timings);
    trusted["types"] = json!(["at+jwt"]);
    let providers = [trusted, discovered("liar", &expected, &timings)];
    let guarded = Guarded::start_with(CURRENT, &trusting(&providers), |builder| {
        builder
            .cluster("provider", provider.port())
            .cluster("liar", liar.port())
    });
    let vms = Vms::of(&guarded.mesh);

    let first = provider.token().unwrap();
    let answer = guarded.send(
        Request::get("/v1/models")
            .bearer(&first)
            .header("host", "first.test"),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = guarded.record("first.test");
    assert_eq!(record["identity"]["subject"], "batch", "{record}");
    assert_eq!(record["identity"]["issuer"], provider.issuer(), "{record}");

    another_issuer_is_refused(&guarded, &liar, &expected);
    rotation_fails_no_request(&guarded, &provider);
    let tokens: Vec<String> = (0..64).map(|_| provider.token().unwrap()).collect();
    provider.go_away();
    an_outage_fails_no_request(&guarded, &tokens);
    provider.come_back().unwrap();
    provider.rotate().unwrap();
    until(&guarded, 200, || provider.token().unwrap());
    provider.retire().unwrap();
    let answer = until(&guarded, 401, || first.clone());
    assert_eq!(code(&answer), "unknown_key");
    vms.all_live(&guarded.mesh);
}

fn another_issuer_is_refused(guarded: &Guarded, liar: &Oidc, expected: &str) {
    let answer = call(guarded, &liar.token().unwrap());
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(code(&answer), "unknown_issuer");
    // No such token is issued: somebody else must make one that names the policy's issuer.
    let idp = Idp::start().unwrap();
    let claims = with(idp.claims("ana", &[]), "iss", json!(expected));
    let answer = call(guarded, &idp.token(&claims, Alg::Rs256));
    is_without_keys(&answer, "the provider of another name");
    let told = || {
        let log = guarded.mesh.log();
        log.lines()
            .any(|line| line.contains(liar.issuer()) && line.contains(expected))
    };
    wait::until("a log line about the issuer", PATIENCE, told)
        .unwrap_or_else(|why| panic!("{why}:\n{}", guarded.mesh.log()));
}

/// Sends requests with new tokens all the time, while the signing key changes twice.
fn rotation_fails_no_request(guarded: &Guarded, provider: &Oidc) {
    let (done, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let enough = |count: usize| {
        let from = served.load(Ordering::Relaxed);
        let so_many = || served.load(Ordering::Relaxed) >= from + count;
        wait::until("requests that are served", PATIENCE, so_many)
    };
    thread::scope(|scope| {
        let streams: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let client = Client::http1(guarded.mesh.port()).unwrap();
                    let mut old = provider.token().unwrap();
                    while !done.load(Ordering::Relaxed) {
                        let new = provider.token().unwrap();
                        for token in [&old, &new] {
                            serve(&client, token);
                            served.fetch_add(1, Ordering::Relaxed);
                        }
                        old = new;
                    }
                })
            })
            .collect();
        let rotated = (0..2).try_for_each(|_| {
            enough(20)?;
            provider.rotate()
        });
        let after = enough(40);
        done.store(true, Ordering::Relaxed);
        for stream in streams {
            stream.join().unwrap();
        }
        rotated.and(after).unwrap();
    });
}

fn an_outage_fails_no_request(guarded: &Guarded, tokens: &[String]) {
    let client = Client::http1(guarded.mesh.port()).unwrap();
    let begun = Instant::now();
    let mut tokens = tokens.iter().cycle();
    while begun.elapsed() < OUTAGE {
        serve(&client, tokens.next().unwrap());
        thread::sleep(PAUSE);
    }
    let refused = "cluster.provider.upstream_cx_connect_fail";
    let refused = guarded.mesh.stats(refused).unwrap();
    assert!(refused.values().sum::<u64>() > 5, "{refused:?}");
}

fn serve(client: &Client, token: &str) {
    let answer = client
        .send(Request::get("/v1/models").bearer(token))
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}
