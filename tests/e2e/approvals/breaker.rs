//! As many requests wait for a person as Envoy's circuit breaker lets through to the desk.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Client, Request, Response};

use super::{gated, token, tune};
use crate::support::{Desk, Guarded, code};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(what_waits_is_bounded_and_the_rest_goes_on);

/// The shipped bound is in the thousands; this one can be reached by a test.
const MAX_REQUESTS: u32 = 3;

fn what_waits_is_bounded_and_the_rest_goes_on(version: &str) {
    let desk = Desk::start();
    let mut policy = gated("5m", "DESK_KEY");
    // Each worker's question of what stands would take one of the few places now and then.
    policy["approvals"]["standing"] = json!(false);
    let guarded = Guarded::start_with(version, &policy, |builder| {
        builder
            .cluster_http2("desk", desk.port)
            .most_requests("desk", MAX_REQUESTS)
    });
    let hold = |subject: &str| {
        let client = Client::http1(guarded.mesh.port()).unwrap();
        client.start(tune(subject, "file-1")).unwrap()
    };
    let held: Vec<_> = ["ann", "bea", "cho"]
        .into_iter()
        .map(|subject| {
            let held = hold(subject);
            (desk.pending(subject), held)
        })
        .collect();

    // One more is refused at once, not when a question has taken too long; on either worker.
    for round in 0..4 {
        let asked = std::time::Instant::now();
        let answer = guarded.send(tune("dan", "file-1"));
        let away = (answer.status, code(&answer));
        assert_eq!(away, (503, "approval_unavailable".to_owned()), "{round}");
        assert!(answer.header("retry-after").is_some());
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "it waited for the timeout of a question"
        );
    }
    let asked = desk.get("/v1/approvals?state=pending")["approvals"]
        .as_array()
        .map(Vec::len);
    assert_eq!(asked, Some(held.len()), "nobody else got to the desk");

    // What needs no person is not touched, nor are those that wait.
    let models = Request::get("/v1/models").bearer(&token("dan"));
    assert_eq!(guarded.send(models).status, 200);
    assert!(held.iter().all(|(_, held)| !held.answered()));
    for (approval, held) in held {
        desk.decide(&approval, "approve", "");
        let answer: Response = held.response().unwrap().read();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body: Value = answer.json();
        assert_eq!(body["training_file"], json!("file-1"));
    }

    // There is room again.
    let held = hold("dan");
    desk.decide(&desk.pending("dan"), "approve", "");
    assert_eq!(held.response().unwrap().read().status, 200);
}
