//! Where keys come from, how long they last, and what a token needs of them.

mod algorithms;
mod discovery;
mod outages;
mod places;
mod published;
mod rotation;
mod size;
mod strangers;
mod waiting;

use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::Response;
use testbed::idp::{AUDIENCE, Alg, Idp, with};
use testbed::wait;

use crate::support::{Guarded, chat, code, policy};

/// Longer than anything here takes unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A provider of the policy whose keys are found by discovery on the cluster of its own name.
fn discovered(name: &str, issuer: &str, timings: &Value) -> Value {
    let mut discover = json!({"cluster": name});
    let timings = timings.as_object().unwrap().clone();
    discover.as_object_mut().unwrap().extend(timings);
    json!({
        "name": name,
        "issuer": issuer,
        "audiences": [AUDIENCE],
        "keys": {"discover": discover},
    })
}

/// A policy that lets everybody in whom these providers vouch for.
fn trusting(providers: &[Value]) -> Value {
    policy(&json!({"identity": {"providers": providers}}))
}

/// What a caller with this token gets.
fn call(guarded: &Guarded, token: &str) -> Response {
    guarded.send(chat(token, "hello"))
}

/// A good token of an issuer below the provider's address.
fn token_of(idp: &Idp, issuer: &str) -> String {
    idp.token(
        &with(idp.claims("ana", &[]), "iss", json!(issuer)),
        Alg::Es256,
    )
}

/// Calls until it is answered with this status, with a new token each time; gives that answer.
fn until(guarded: &Guarded, status: u16, token: impl Fn() -> String) -> Response {
    let mut last = None;
    let what = format!("an answer of {status}");
    let found = wait::value(&what, PATIENCE, || {
        let answer = call(guarded, &token());
        let wanted = answer.status == status;
        last = Some((answer.status, answer.text()));
        wanted.then_some(answer)
    });
    found.unwrap_or_else(|why| {
        panic!(
            "{why}, the last was {last:?}; Envoy's log:\n{}",
            guarded.mesh.log()
        )
    })
}

/// Fails unless a request was refused for want of keys, with a time to come back at.
fn is_without_keys(answer: &Response, case: &str) {
    assert_eq!(answer.status, 503, "{case}: {}", answer.text());
    assert_eq!(code(answer), "keys_unavailable", "{case}");
    let after = answer.header("retry-after").unwrap_or_default();
    assert!(
        after.parse::<u32>().is_ok_and(|s| s > 0),
        "{case}: {after:?}"
    );
}

/// Waits until Envoy has so many requests that are not answered.
fn under_way(guarded: &Guarded, count: u64) {
    let active = || {
        let stats = guarded.mesh.stats("downstream_rq_active").unwrap();
        let of_listeners = stats.iter().filter(|(name, _)| !name.contains("admin"));
        of_listeners.map(|(_, count)| count).sum::<u64>() == count
    };
    wait::until(
        &format!("{count} requests to be under way"),
        PATIENCE,
        active,
    )
    .unwrap();
}
