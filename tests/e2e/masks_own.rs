//! A policy's own detectors, and what stands in front of a match: a word, or the name of the member
//! that it is.

use serde_json::{Value, json};
use testbed::http::{Client, Request};
use testbed::model::Answer;

use crate::support::{Guarded, ana, chat, chat_body, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(own_detectors_and_context_count);

fn own_detectors_and_context_count(version: &str) {
    let guarded = Guarded::start(
        version,
        &policy(&json!({
            "detectors": {
                "badge": {
                    "pattern": "\\b[0-9]{6}\\b", "near": ["badge", "employee no"], "label": "BADGE",
                },
                "key": {"pattern": "\\bkey = (?<mask>[a-z0-9]{8})\\b", "label": "KEY"},
                "planted": {"canaries": ["zebra-7-quartz"], "label": "LEAK"},
            },
            "masks": {"m": {"detect": ["badge", "planted", "passport", "key"]}},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["m"], "mask_request": ["m"]}],
        })),
    );
    members_are_context(&guarded);
    words_and_canaries_are_found_in_streams(&guarded);
    prompts_are_masked(&guarded);
}

fn ask(guarded: &Guarded, answer: &Value, host: &str) -> Value {
    let path = "/v1/embeddings";
    guarded.model.answer(path, Answer::json(answer));
    let request = Request::post(path).bearer(&ana()).header("host", host);
    guarded
        .send(request.json(&json!({"model": "small-1", "input": "x"})))
        .json()
}

fn members_are_context(guarded: &Guarded) {
    let answer = json!({
        "badge": "123456",
        "badge_of": {"employee no": 123_456, "room": 123_456},
        "sum": "123456",
        "passport_number": "AB123456",
        "zip": "AB123456",
        "list": ["badge", "123456"],
        "note": "Badge: 123456 (ZEBRA 7 - q u a r t z)",
    });
    assert_eq!(
        ask(guarded, &answer, "members.test"),
        json!({
            "badge": "[BADGE]",
            "badge_of": {"employee no": "[BADGE]", "room": 123_456},
            "sum": "123456",
            "passport_number": "[PASSPORT]",
            "zip": "AB123456",
            "list": ["badge", "123456"],
            "note": "Badge: [BADGE] ([LEAK])",
        })
    );
    let found = json!({"badge": 3, "passport": 1, "planted": 1});
    let record = guarded.record("members.test");
    assert_eq!(record["response"]["matches"], found, "{record}");
    // What has none of it in front is left alone.
    let harmless = json!({"sum": 123_456, "text": "123456 is no badge, AB123456 no passport"});
    assert_eq!(ask(guarded, &harmless, "harmless.test"), harmless);
}

/// What a chat client makes of a stream.
fn said(stream: &str) -> String {
    let data = stream.split_terminator("\n\n");
    let data = data.filter_map(|event| event.strip_prefix("data: "));
    let chunks = data.filter(|data| *data != "[DONE]");
    chunks
        .map(|data| serde_json::from_str::<Value>(data).unwrap())
        .filter_map(|chunk| {
            let content = chunk["choices"][0]["delta"]["content"].as_str();
            content.map(str::to_owned)
        })
        .collect()
}

fn words_and_canaries_are_found_in_streams(guarded: &Guarded) {
    let text = "The key = a1b2c3d4; your badge is 123456. Somewhere zebra-7-quartz, ZEBRA7QUARTZ and z-e-b-r-a 7 \
                quartz were planted, and far from any such word the sum is 123456.";
    let masked = "The key = [KEY]; your badge is [BADGE]. Somewhere [LEAK], [LEAK] and [LEAK] were planted, and far \
                  from any such word the sum is 123456.";
    let characters: Vec<char> = text.chars().collect();
    for size in [1, 3, 7, 1000] {
        let pieces: Vec<String> = characters
            .chunks(size)
            .map(|piece| piece.iter().collect())
            .collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        guarded.model.say_tokens(&pieces);
        let mut body = chat_body("hello");
        body["stream"] = json!(true);
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .json(&body);
        let answer = guarded.send(request.clone());
        assert_eq!(said(&answer.text()), masked, "pieces of {size}");
        let client = Client::http2(guarded.mesh.port()).unwrap();
        let answer = client.send(request).unwrap();
        assert_eq!(said(&answer.text()), masked, "pieces of {size}, HTTP/2");
    }
}

fn prompts_are_masked(guarded: &Guarded) {
    guarded.send(chat(
        &ana(),
        "employee no 123456 says zebra 7 quartz, 4 x 123456",
    ));
    let received = guarded.model.received();
    let prompt = received.last().unwrap().json()["messages"][0]["content"].clone();
    // The second number has the word within reach as well.
    assert_eq!(prompt, "employee no [BADGE] says [LEAK], 4 x [BADGE]");
}
