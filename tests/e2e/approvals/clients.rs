//! Official clients that lose patience before anybody decides, and come back by themselves.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::model::Answer;
use testbed::wait;

use super::{gated, token};
use crate::installed::{PYTHON, run};
use crate::support::{Desk, Guarded};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(clients_that_lose_patience_are_served_once_approved);

/// How many clients there are, half of each kind.
const CLIENTS: usize = 20;

/// When their requests are approved: they give up every five seconds.
const APPROVED_AFTER: Duration = Duration::from_secs(8);

fn clients_that_lose_patience_are_served_once_approved(version: &str) {
    let Some(python) = PYTHON.python() else {
        return;
    };
    let desk = Desk::start();
    let mut policy = gated("25s", "DESK_KEY");
    policy["rules"][0]["when"] = json!({"operation": ["inference.chat"]});
    let guarded = Guarded::start_with(version, &policy, |builder| {
        builder
            .alone()
            .concurrency(4)
            .cluster_http2("desk", desk.port)
    });
    // As Anthropic's API answers: <https://docs.anthropic.com/en/api/messages>.
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "small-1",
        "content": [{"type": "text", "text": "You may."}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 3, "output_tokens": 3},
    });
    guarded.model.answer("/v1/messages", Answer::json(&message));
    let keys: Vec<_> = (0..CLIENTS)
        .map(|one| token(&format!("client-{one}")))
        .collect();
    let asked = json!({"base_url": guarded.mesh.url(), "keys": keys});
    let got = std::thread::scope(|scope| {
        let clients = scope.spawn(|| run(&python, "patience_clients.py", &asked));
        let pending = || -> Vec<Value> {
            let list = desk.get("/v1/approvals?state=pending&limit=100");
            list["approvals"].as_array().unwrap().clone()
        };
        let all = || pending().len() == CLIENTS;
        wait::until("every client's question", Duration::from_secs(30), all).unwrap();
        // The subject of the test is what happens after this time.
        std::thread::sleep(APPROVED_AFTER);
        let questions = pending();
        assert_eq!(
            questions.len(),
            CLIENTS,
            "a client that comes back asks nothing new"
        );
        for question in &questions {
            desk.decide(question, "approve", "");
        }
        clients.join().unwrap()
    });
    for (one, answer) in got.as_array().unwrap().iter().enumerate() {
        assert!(answer["text"].is_string(), "client-{one}: {answer}");
        assert!(
            answer["tries"].as_u64().unwrap() > 1,
            "client-{one} waited: {answer}"
        );
    }
    assert_eq!(guarded.model.begun(), CLIENTS, "one answer each");
}
