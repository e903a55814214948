//! Answers that wait for a person, with the real desk: nothing of them goes before the decision.

use std::thread;

use serde_json::{Value, json};
use testbed::grpc;
use testbed::http::{Client, Request, Response};

use crate::support::{Desk, Guarded, ana, chat, chat_body, code, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(answers_wait_for_a_person);

/// A listener whose answers wait where they have an address in them, and `away`, whose desk is not
/// there.
fn start(version: &str, desk: &Desk) -> Guarded {
    let with = |cluster: &str| {
        policy(&json!({
            "approvals": {
                "cluster": cluster, "credential": "Bearer ${DESK_KEY}", "wait": "60s",
            },
            "masks": {"gate": {"detect": [
                "ip", {"is": "email", "action": {"approve": {"reviewers": ["ml-leads"]}}},
            ]}},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["gate"]}],
        }))
    };
    Guarded::start_with(version, &with("desk"), |builder| {
        builder
            .listener("away", with("nowhere"))
            .cluster_http2("desk", desk.port)
    })
}

fn answers_wait_for_a_person(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk);
    guarded
        .model
        .say_tokens(&["From 203.0.113.7 ", "to jane.", "doe@exam", "ple.com", "."]);
    an_approved_answer_comes_whole(&guarded, &desk);
    a_denied_answer_does_not_come(&guarded, &desk);
    a_stream_waits_whole(&guarded, &desk);
    an_answer_with_trailers_waits_whole(&guarded, &desk);
    without_a_desk_nothing_comes(&guarded);
    what_has_no_such_match_waits_for_nobody(&guarded, &desk);
}

const SEEN: &str = "From [IP] to jane.doe@example.com.";

/// Sends something, has it decided, and gives what came of it.
fn decided<T: Send>(desk: &Desk, decision: &str, send: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let waiting = scope.spawn(send);
        let question = desk.pending("ana");
        assert_eq!(question["found"], json!(["email"]), "{question}");
        assert!(!question.to_string().contains("jane"), "{question}");
        desk.decide(&question, decision, "I looked");
        waiting.join().unwrap()
    })
}

fn content(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let content = &answer.json()["choices"][0]["message"]["content"];
    content.as_str().unwrap().to_owned()
}

fn an_approved_answer_comes_whole(guarded: &Guarded, desk: &Desk) {
    let before = guarded.model.begun();
    let request = chat(&ana(), "hello").header("host", "approved.test");
    let answer = decided(desk, "approve", || guarded.send(request));
    assert_eq!(content(&answer), SEEN);
    assert_eq!(guarded.model.begun(), before + 1);
    let record = guarded.record("approved.test");
    assert_eq!(record["approvals"][0]["state"], "approved", "{record}");
    assert_eq!(record["approvals"][0]["reviewer"], "lea");
    assert_eq!(record["response"]["matches"], json!({"email": 1, "ip": 1}));
    assert_eq!(record["response"]["code"], Value::Null);
    assert!(!record.to_string().contains("jane"), "{record}");
}

fn a_denied_answer_does_not_come(guarded: &Guarded, desk: &Desk) {
    let request = chat(&ana(), "hello, no").header("host", "denied.test");
    let answer = decided(desk, "deny", || guarded.send(request));
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(code(&answer), "approval_denied");
    assert!(!answer.text().contains("jane"), "{}", answer.text());
    let record = guarded.record("denied.test");
    assert_eq!(record["response"]["code"], "approval_denied", "{record}");
    assert_eq!(record["response"]["bytes_sent"], 0);
}

fn a_stream_waits_whole(guarded: &Guarded, desk: &Desk) {
    let mut body = chat_body("hello, stream");
    body["stream"] = json!(true);
    let client = Client::http2(guarded.mesh.port()).unwrap();
    for (decision, text) in [("approve", Some(SEEN)), ("deny", None)] {
        body["model"] = json!(decision);
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .json(&body);
        let answer = decided(desk, decision, || client.send(request).unwrap());
        let Some(text) = text else {
            assert_eq!(answer.status, 403, "{}", answer.text());
            assert!(!answer.text().contains("jane"), "{}", answer.text());
            continue;
        };
        assert_eq!((answer.status, answer.broken.clone()), (200, None));
        let events = answer.text();
        let data = events
            .lines()
            .filter_map(|line| line.strip_prefix("data: {"));
        let whole: String = data
            .map(|data| serde_json::from_str::<Value>(&format!("{{{data}")).unwrap())
            .filter_map(|data| {
                let content = &data["choices"][0]["delta"]["content"];
                content.as_str().map(str::to_owned)
            })
            .collect();
        assert_eq!(whole, text);
        assert!(events.ends_with("data: [DONE]\n\n"), "{events}");
    }
}

fn an_answer_with_trailers_waits_whole(guarded: &Guarded, desk: &Desk) {
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {}", ana());
    let headers = [("authorization", bearer.as_str())];
    let infer = || grpc::infer(&client, "small-1", "hello", &headers).unwrap();
    let answer = decided(desk, "approve", infer);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(answer.messages[0].texts(), [SEEN]);
    let infer = || grpc::infer(&client, "large-1", "hello", &headers).unwrap();
    let answer = decided(desk, "deny", infer);
    assert_eq!(answer.code, Some(7), "{answer:?}");
    assert!(answer.messages.is_empty(), "{answer:?}");
}

fn without_a_desk_nothing_comes(guarded: &Guarded) {
    let request = chat(&ana(), "hello").header("host", "away.test");
    let answer = guarded.send_to("away", request);
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(code(&answer), "approval_unavailable");
    assert!(!answer.text().contains("jane"), "{}", answer.text());
    assert_eq!(
        guarded.record("away.test")["approvals"][0]["state"],
        "unavailable"
    );
}

fn what_has_no_such_match_waits_for_nobody(guarded: &Guarded, desk: &Desk) {
    guarded.model.say_tokens(&["From 203.0.", "113.7."]);
    assert_eq!(content(&guarded.send(chat(&ana(), "hello"))), "From [IP].");
    let client = Client::http2(guarded.mesh.port()).unwrap();
    assert_eq!(
        content(&client.send(chat(&ana(), "hello")).unwrap()),
        "From [IP]."
    );
    let list = desk.get("/v1/approvals?state=pending");
    assert_eq!(list["approvals"], json!([]), "{list}");
}
