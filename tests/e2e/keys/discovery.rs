//! Keys that are fetched: when the first requests find them, how often, and from whom they are
//! not taken.

use std::time::Instant;

use serde_json::{Value, json};
use testbed::body::Gate;
use testbed::grpc;
use testbed::http::{Client, Pending};
use testbed::idp::{Fetches, Idp};
use testbed::wait;

use super::{PATIENCE, call, discovered, is_without_keys, token_of, trusting, under_way, until};
use crate::support::{Guarded, chat};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(
    early_requests_wait_for_the_first_keys,
    one_worker_fetches_for_all,
    providers_that_fail_have_no_keys,
);

fn early_requests_wait_for_the_first_keys(version: &str) {
    let idp = Idp::start().unwrap();
    let issuer = idp.issuer_at("/realms/x");
    let gate = Gate::new();
    idp.wait_for(&gate);
    let timings = json!({"timeout": "50s", "wait": "50s", "refresh": "1h"});
    let guarded = Guarded::start_with(
        version,
        &trusting(&[discovered("idp", &issuer, &timings)]),
        |builder| builder.concurrency(4).cluster("idp", idp.port()),
    );
    let vms = Vms::of(&guarded.mesh);
    let early: Vec<Pending> = (0..8)
        .map(|_| {
            let client = Client::http1(guarded.mesh.port()).unwrap();
            client
                .start(chat(&token_of(&idp, &issuer), "hello"))
                .unwrap()
        })
        .collect();
    let asked = || idp.fetches().discovery > 0;
    wait::until("discovery", PATIENCE, asked).unwrap();
    under_way(&guarded, 8);
    assert!(early.iter().all(|request| !request.answered()));
    assert_eq!(guarded.model.begun(), 0);

    // One answer is the document, the other the keys.
    gate.open(2);
    for request in early {
        let answer = request.response().unwrap().read();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    // Whichever worker a later connection is given to has the keys.
    for _ in 0..40 {
        assert_eq!(call(&guarded, &token_of(&idp, &issuer)).status, 200);
    }
    let once = Fetches {
        discovery: 1,
        jwks: 1,
    };
    assert_eq!(idp.fetches(), once);
    vms.all_live(&guarded.mesh);
}

fn one_worker_fetches_for_all(version: &str) {
    let idp = Idp::start().unwrap();
    let issuer = idp.issuer();
    let begun = Instant::now();
    let guarded = Guarded::start_with(
        version,
        &trusting(&[discovered("idp", &issuer, &json!({"refresh": "1s"}))]),
        |builder| builder.concurrency(4).cluster("idp", idp.port()),
    );
    let refreshed = || {
        assert_eq!(call(&guarded, &idp.good("ana", &[])).status, 200);
        idp.fetches().jwks >= 4
    };
    wait::until("three refreshes", PATIENCE, refreshed).unwrap();
    // Each on its own, four workers and the main thread would ask five times in a second.
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    let most = 2 * seconds + 2;
    let Fetches { discovery, jwks } = idp.fetches();
    assert!(jwks <= most, "{jwks} in {seconds} s");
    assert!(discovery <= most, "{discovery} in {seconds} s");
}

/// What a provider does instead of giving its keys.
type Failure = fn(&Idp);

const FAILURES: [(&str, Failure); 7] = [
    ("away", Idp::go_away),
    ("failing", |idp| idp.answer_with(500)),
    ("moved", |idp| idp.answer_with(302)),
    ("silent", |idp| idp.wait_for(&Gate::new())),
    ("liar", |idp| idp.document_issuer("http://liar.example.com")),
    ("babbling", |idp| idp.publish(json!("no keys"))),
    ("keyless", |idp| idp.publish(json!({"keys": []}))),
];

fn providers_that_fail_have_no_keys(version: &str) {
    let well = Idp::start().unwrap();
    let failing: Vec<(&str, Idp, Value)> = FAILURES
        .iter()
        .map(|(name, fail)| {
            let idp = Idp::start().unwrap();
            let jwks = idp.jwks();
            fail(&idp);
            (*name, idp, jwks)
        })
        .collect();
    let timings = json!({"refresh": "1s", "timeout": "1s", "wait": "2s", "cooldown": "1s"});
    let providers: Vec<Value> = failing
        .iter()
        .map(|(name, idp, _)| discovered(name, &idp.issuer(), &timings))
        .chain([discovered("well", &well.issuer(), &timings)])
        .collect();
    let guarded = Guarded::start_with(version, &trusting(&providers), |builder| {
        let builder = builder.cluster("well", well.port());
        failing.iter().fold(builder, |builder, (name, idp, _)| {
            builder.cluster(name, idp.port())
        })
    });
    let vms = Vms::of(&guarded.mesh);
    for (name, idp, _) in &failing {
        is_without_keys(&call(&guarded, &idp.good("ana", &[])), name);
    }
    let token = failing[0].1.good("ana", &[]);
    let told = guarded.send(chat(&token, "hello").header("host", "told.test"));
    is_without_keys(&told, "recorded");
    let verdict = &guarded.record("told.test")["verdict"];
    assert_eq!(verdict["code"], "keys_unavailable", "{verdict}");
    assert_eq!(verdict["status"], 503, "{verdict}");
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {token}");
    let rpc = grpc::infer(&client, "m", "hello", &[("authorization", &bearer)]).unwrap();
    assert_eq!(rpc.code, Some(14), "{rpc:?}");
    assert_eq!(guarded.model.begun(), 0);
    assert_eq!(call(&guarded, &well.good("ana", &[])).status, 200);

    let liar = failing.iter().find(|(name, ..)| *name == "liar").unwrap();
    let expected = liar.1.issuer();
    let told = || {
        let log = guarded.mesh.log();
        log.lines()
            .any(|line| line.contains("http://liar.example.com") && line.contains(&expected))
    };
    wait::until("a log line about the liar", PATIENCE, told)
        .unwrap_or_else(|why| panic!("{why}:\n{}", guarded.mesh.log()));

    for (name, idp, jwks) in &failing {
        idp.recover();
        idp.publish(jwks.clone());
        idp.come_back().unwrap();
        let answer = until(&guarded, 200, || idp.good("ana", &[]));
        assert_eq!(answer.status, 200, "{name}");
    }
    vms.all_live(&guarded.mesh);
}
