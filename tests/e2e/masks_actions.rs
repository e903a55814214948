//! What a match leads to besides being masked: it is counted only, or it ends the answer.

use serde_json::{Value, json};
use testbed::body::Step;
use testbed::http::{Client, Request, Response};
use testbed::model::Answer;

use crate::support::{Guarded, ana, chat, chat_body, code, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(matches_lead_to_actions);

fn start(version: &str) -> Guarded {
    let masks = json!({
        "watch": {"detect": ["email"], "action": "alert"},
        "cut": {"detect": ["ip", {"is": "email", "style": "remove", "action": "cut"}]},
    });
    let with = |mask: &str| {
        policy(&json!({
            "masks": masks,
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": [mask], "mask_request": [mask]}],
        }))
    };
    Guarded::start_with(version, &with("cut"), |builder| {
        builder
            .listener("watch", with("watch"))
            .listener("plain", policy(&json!({})))
    })
}

fn matches_lead_to_actions(version: &str) {
    let guarded = start(version);
    what_is_only_counted_stays(&guarded);
    an_answer_that_begins_with_a_match_is_refused(&guarded);
    a_stream_ends_before_the_match(&guarded);
    answers_without_a_match_come_whole(&guarded);
    a_prompt_with_a_match_is_refused(&guarded);
}

fn streamed(text: &str) -> Request {
    let mut body = chat_body(text);
    body["stream"] = json!(true);
    Request::post("/v1/chat/completions")
        .bearer(&ana())
        .json(&body)
}

fn what_is_only_counted_stays(guarded: &Guarded) {
    guarded
        .model
        .say_tokens(&["Mail jane@", "exam", "ple.com", " or joe@example.com."]);
    for (request, host) in [
        (chat(&ana(), "I am ana@example.com"), "watch.test"),
        (streamed("I am ana@example.com"), "watch-stream.test"),
    ] {
        let with = guarded.send_to("watch", request.clone().header("host", host));
        let without = guarded.send_to("plain", request);
        assert_eq!(with.status, 200);
        assert_eq!(with.text(), without.text());
        let length = |answer: &Response| answer.header("content-length").map(str::to_owned);
        assert_eq!(length(&with), length(&without));
        let record = guarded.record(host);
        assert_eq!(
            record["response"]["alerts"],
            json!({"email": 2}),
            "{record}"
        );
        assert_eq!(record["response"]["matches"], json!({}));
        assert_eq!(record["response"]["masked"], false);
        assert_eq!(record["request"]["alerts"], json!({"email": 1}));
    }
    let received = guarded.model.received();
    let prompt = received.last().unwrap().json()["messages"][0]["content"].clone();
    assert_eq!(prompt, "I am ana@example.com");
}

fn is_refusal(answer: &Response) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(code(answer), "match_withheld");
    assert!(!answer.text().contains("jane"), "{}", answer.text());
}

fn refused(guarded: &Guarded, answer: &Response, host: &str) {
    is_refusal(answer);
    let record = guarded.record(host);
    assert_eq!(record["response"]["code"], "match_withheld", "{record}");
    assert_eq!(record["response"]["matches"]["email"], 1);
    assert_eq!(
        record["response"]["status"], 403,
        "what the client was sent"
    );
    assert_eq!(record["response"]["bytes_sent"], 0);
}

fn an_answer_that_begins_with_a_match_is_refused(guarded: &Guarded) {
    guarded.model.say("Mail jane.doe@example.com now.");
    let answer = guarded.send(chat(&ana(), "hello").header("host", "whole.test"));
    refused(guarded, &answer, "whole.test");
    // Over HTTP/2 as well, and where nothing says how long the body is.
    let client = Client::http2(guarded.mesh.port()).unwrap();
    is_refusal(&client.send(chat(&ana(), "hello")).unwrap());
    let body = b"jane.doe@example.com, and more".to_vec();
    let chunked = Answer::new(200)
        .header("content-type", "text/plain")
        .steps(vec![Step::data(body)]);
    guarded.model.answer("/v1/models", chunked);
    let request = Request::get("/v1/models").bearer(&ana());
    let answer = guarded.send(request.header("host", "chunked.test"));
    refused(guarded, &answer, "chunked.test");
    // The connection is as good as before.
    is_refusal(&client.send(chat(&ana(), "hello")).unwrap());
}

fn a_stream_ends_before_the_match(guarded: &Guarded) {
    for (http2, host) in [(false, "cut-1.test"), (true, "cut-2.test")] {
        let pieces = [
            "From 203.0.113.7 ",
            "by ",
            "jane.",
            "doe@exam",
            "ple.com ",
            "and more",
        ];
        let gate = guarded.model.say_gated(&pieces);
        let port = guarded.mesh.port();
        let client = if http2 {
            Client::http2(port).unwrap()
        } else {
            Client::http1(port).unwrap()
        };
        let request = streamed("hello").header("host", host);
        let mut stream = client.open(request).unwrap();
        assert_eq!(stream.status, 200);
        gate.open(3);
        let mut seen = String::new();
        while seen.len() < "From [IP] by ".len() {
            let event = stream.next_event().unwrap().unwrap();
            let data: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
            seen += data["choices"][0]["delta"]["content"].as_str().unwrap();
        }
        assert_eq!(seen, "From [IP] by ", "{host}");
        gate.open(9);
        let rest = stream.read();
        // The client is told in the stream, which ends there.
        assert_eq!(rest.broken, None, "{host}: {}", rest.text());
        let last = rest.text();
        let last = last.trim_end().rsplit("data: ").next().unwrap();
        let last: Value = serde_json::from_str(last).unwrap();
        assert_eq!(last["error"]["code"], "match_withheld", "{host}: {last}");
        assert!(!rest.text().contains("[DONE]"), "{host}: {}", rest.text());
        assert!(!rest.text().contains("jane"), "{host}: {}", rest.text());
        assert!(!rest.text().contains("more"), "{host}: {}", rest.text());
        if !http2 {
            let record = guarded.record(host);
            assert_eq!(record["response"]["code"], "match_withheld", "{record}");
            let found = json!({"email": 1, "ip": 1});
            assert_eq!(record["response"]["matches"], found);
        }
    }
}

fn answers_without_a_match_come_whole(guarded: &Guarded) {
    guarded
        .model
        .say_tokens(&["From 203.", "0.113.7, ", "no address."]);
    let answer = guarded.send(chat(&ana(), "hello"));
    let content = &answer.json()["choices"][0]["message"]["content"];
    assert_eq!(content, "From [IP], no address.");
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let answer = client.send(streamed("hello")).unwrap();
    assert_eq!((answer.status, answer.broken.clone()), (200, None));
    assert!(
        answer.text().ends_with("data: [DONE]\n\n"),
        "{}",
        answer.text()
    );
    // Held for its trailers or not, an answer comes with its head.
    let empty = Answer::new(200).header("content-type", "application/json");
    guarded.model.answer("/v1/models", empty);
    for client in [client, Client::http1(guarded.mesh.port()).unwrap()] {
        let answer = client
            .send(Request::get("/v1/models").bearer(&ana()))
            .unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    }
}

fn a_prompt_with_a_match_is_refused(guarded: &Guarded) {
    let before = guarded.model.begun();
    let prompt = "I am jane.doe@example.com";
    let answer = guarded.send(chat(&ana(), prompt).header("host", "prompt.test"));
    assert_eq!(
        (answer.status, code(&answer).as_str()),
        (403, "match_withheld")
    );
    assert_eq!(
        guarded.model.begun(),
        before,
        "nothing of it reached the model server"
    );
    let record = guarded.record("prompt.test");
    assert_eq!(record["verdict"]["code"], "match_withheld");
    assert_eq!(record["request"]["matches"], json!({"email": 1}));
}
