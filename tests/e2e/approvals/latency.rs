//! How long it takes from a person's decision to the client: figures, printed for whoever runs it.
//!
//! ```text
//! cargo test -p portcullis --test e2e how_fast -- --ignored --nocapture
//! ```

use std::time::{Duration, Instant};

use testbed::http::Client;

use super::{gated, tune};
use crate::support::{Desk, Guarded};

/// How often it is measured.
const ROUNDS: u32 = 60;

/// Decisions come at all times of a poll, at the latest so long after the question.
const LATEST: u32 = 2400;

#[test]
#[ignore = "prints figures and asserts none of them"]
fn how_fast_a_decision_reaches_a_held_request() {
    let desk = Desk::start();
    let policy = gated("5m", "DESK_KEY");
    let guarded = Guarded::start_with(testbed::envoy::CURRENT, &policy, |builder| {
        builder
            .alone()
            .concurrency(4)
            .cluster_http2("desk", desk.port)
    });
    let mut from_answer = Vec::new();
    let mut from_call = Vec::new();
    for round in 0..ROUNDS {
        let subject = format!("caller-{round}");
        let client = Client::http1(guarded.mesh.port()).unwrap();
        let held = client.start(tune(&subject, "file-1")).unwrap();
        let question = desk.pending(&subject);
        // What is measured may depend on the time since the question.
        std::thread::sleep(Duration::from_millis(u64::from(round * LATEST / ROUNDS)));
        let (called, answered, head) = std::thread::scope(|scope| {
            let client = scope.spawn(|| {
                let answer = held.response().unwrap();
                let head = Instant::now();
                assert_eq!(answer.read().status, 200);
                head
            });
            let called = Instant::now();
            desk.decide(&question, "approve", "");
            let answered = Instant::now();
            (called, answered, client.join().unwrap())
        });
        from_answer.push(head.saturating_duration_since(answered));
        from_call.push(head.saturating_duration_since(called));
    }
    for (what, mut times) in [
        ("from the reviewer's answer", from_answer),
        ("from the reviewer's call", from_call),
    ] {
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "a decision reaches a held client, {what}: median {median:.1?}, worst {worst:.1?} of {ROUNDS}"
        );
    }
}
