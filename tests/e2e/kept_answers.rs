//! Answers that wait for a person, and are kept until their request is made once more: the very answer that was
//! approved comes, and the model server is asked once.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{self, Client, Response};
use testbed::wait;

use crate::support::{Desk, FILTER_KEY, Guarded, ana, chat, chat_body, code, policy};
use crate::versions::in_the_current_envoy;
use testbed::http::Request;

in_the_current_envoy!(the_answer_that_was_approved_is_the_one_that_comes);

/// Listeners whose answers wait: for a moment, and, at `long`, for as long as it takes.
fn start(version: &str, desk: &Desk) -> Guarded {
    let with = |wait: &str| {
        policy(&json!({
            "approvals": {
                "cluster": "desk", "credential": "Bearer ${DESK_KEY}", "wait": wait,
                "answers": {"key": "${ANSWER_KEY}"},
            },
            "masks": {"gate": {"detect": [
                "ip", {"is": "email", "action": {"approve": {"reviewers": ["ml-leads"]}}},
            ]}},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["gate"]}],
        }))
    };
    Guarded::start_with(version, &with("300ms"), |builder| {
        builder
            .concurrency(4)
            .listener("long", with("60s"))
            .cluster_http2("desk", desk.port)
    })
}

fn the_answer_that_was_approved_is_the_one_that_comes(version: &str) {
    let desk = Desk::start();
    let guarded = start(version, &desk);
    guarded
        .model
        .say_tokens(&["From 203.0.113.7 ", "to jane.", "doe@exam", "ple.com", "."]);
    an_approved_answer_comes_once(&guarded, &desk);
    a_denied_answer_makes_no_other(&guarded, &desk);
    a_client_that_has_gone_finds_its_answer(&guarded, &desk);
    a_stream_comes_whole(&guarded, &desk);
}

const SEEN: &str = "From [IP] to jane.doe@example.com.";

fn is_pending(answer: &Response) {
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(code(answer), "approval_pending");
}

/// The records of what was sent to a host, once there are so many.
fn records(guarded: &Guarded, host: &str, count: usize) -> Vec<Value> {
    let found = wait::value("the records", Duration::from_secs(30), || {
        let all = guarded.mesh.sessions(0).unwrap().into_iter();
        let of_host: Vec<Value> = all.filter(|one| one["request"]["host"] == host).collect();
        (of_host.len() == count).then_some(of_host)
    });
    found.unwrap()
}

fn an_approved_answer_comes_once(guarded: &Guarded, desk: &Desk) {
    let before = guarded.model.begun();
    let send = || guarded.send(chat(&ana(), "hello").header("host", "kept.test"));
    is_pending(&send());
    let question = desk.pending("ana");
    is_pending(&send());
    assert_eq!(desk.pending("ana")["id"], question["id"]);
    assert_eq!(guarded.model.begun(), before + 1, "one answer was made");
    let id = question["id"].as_str().unwrap();
    let shown = desk.get(&format!("/v1/approvals/{id}"));
    let text = shown["body"]["text"].as_str().unwrap();
    assert!(text.contains("From [IP] to [EMAIL]."), "{text}");
    desk.decide(&question, "approve", "I looked");
    let answer = send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["choices"][0]["message"]["content"], SEEN);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(guarded.model.begun(), before + 1);
    let records = records(guarded, "kept.test", 3);
    let gave = records
        .iter()
        .find(|one| one.to_string().contains("\"kept_from\":\""));
    let gave = gave.unwrap_or_else(|| panic!("{records:#?}"));
    assert_eq!(gave["ended"]["how"], "complete", "{gave}");
    let made = records
        .iter()
        .find(|one| one["response"]["matches"]["email"] == 1);
    assert!(
        gave.to_string()
            .contains(&format!("\"kept_from\":{}", made.unwrap()["id"])),
        "{gave}"
    );
    assert!(!gave.to_string().contains("jane"), "{gave}");
    // It went once: the next one is another.
    is_pending(&send());
    assert_eq!(guarded.model.begun(), before + 2);
    desk.decide(&desk.pending("ana"), "deny", "enough");
}

fn a_denied_answer_makes_no_other(guarded: &Guarded, desk: &Desk) {
    let before = guarded.model.begun();
    let send = || guarded.send(chat(&ana(), "hello, no"));
    is_pending(&send());
    desk.decide(&desk.pending("ana"), "deny", "no");
    for _ in 0..2 {
        let answer = send();
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(code(&answer), "approval_denied");
    }
    assert_eq!(guarded.model.begun(), before + 1);
}

/// How many answers the desk tells filters that it keeps.
fn kept(desk: &Desk) -> usize {
    let standing = Request::get("/v1/standing?wait=0").bearer(FILTER_KEY);
    let answer = http::send(desk.port, standing).unwrap();
    answer.json()["answers"].as_array().unwrap().len()
}

fn a_client_that_has_gone_finds_its_answer(guarded: &Guarded, desk: &Desk) {
    let before = guarded.model.begun();
    let kept = kept(desk);
    let port = guarded.mesh.port_of("long").unwrap();
    let client = Client::http1(port).unwrap();
    let left = client.start(chat(&ana(), "hello, gone")).unwrap();
    let question = desk.pending("ana");
    // The filter has it kept once it is told the approval's id.
    let more = || self::kept(desk) > kept;
    wait::until("the answer to be kept", Duration::from_secs(30), more).unwrap();
    drop((left, client));
    let waits_for_nobody = || desk.pending("ana")["waiting"] == 0;
    wait::until(
        "the client to be gone",
        Duration::from_secs(30),
        waits_for_nobody,
    )
    .unwrap();
    std::thread::scope(|scope| {
        // Who comes back waits for the same one.
        let again = scope.spawn(|| guarded.send_to("long", chat(&ana(), "hello, gone")));
        let waits = || desk.pending("ana")["waiting"] == 1;
        wait::until("the client to be back", Duration::from_secs(30), waits).unwrap();
        desk.decide(&question, "approve", "I looked");
        let answer = again.join().unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["choices"][0]["message"]["content"], SEEN);
    });
    assert_eq!(guarded.model.begun(), before + 1);
}

fn a_stream_comes_whole(guarded: &Guarded, desk: &Desk) {
    let before = guarded.model.begun();
    let mut body = chat_body("hello, stream");
    body["stream"] = json!(true);
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let send = || {
        let request = Request::post("/v1/chat/completions").bearer(&ana());
        client.send(request.json(&body)).unwrap()
    };
    is_pending(&send());
    desk.decide(&desk.pending("ana"), "approve", "I looked");
    let answer = send();
    assert_eq!((answer.status, answer.broken.clone()), (200, None));
    let media = answer.header("content-type").unwrap();
    assert!(media.starts_with("text/event-stream"), "{media}");
    let events = answer.text();
    assert!(events.ends_with("data: [DONE]\n\n"), "{events}");
    assert!(!events.contains("203.0.113.7"), "{events}");
    assert_eq!(guarded.model.begun(), before + 1);
}
