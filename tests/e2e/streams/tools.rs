//! The official clients of OpenAI and Anthropic, for Python and for Node, go through a tool's turn, and
//! get pictures and vectors as they were sent.
//!
//! Anthropic signs what a model thought, and refuses a turn that brings it back changed
//! (docs.claude.com, "Extended thinking", "Preserving thinking blocks"). So does the double here, in its
//! own way: over the text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testbed::body::split;
use testbed::model::{Answer, Received};

use super::everything;
use crate::installed::{NODE, PYTHON, run};
use crate::support::{Guarded, ana};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(the_official_clients_go_through_a_tools_turn);

const THOUGHT: [&str; 3] = ["I may write to an", "a@corp.com", ", with her card."];
/// A card's number without quotes, in pieces.
const INPUT: [&str; 4] = [
    "{\"to\":\"an",
    "a@corp.com\",\"card\":4111",
    "111111111111,",
    "\"n\":1}",
];

fn signature(text: &str) -> String {
    STANDARD.encode(Sha256::digest(format!("a key of the provider's\0{text}")))
}

fn events(events: &[Value]) -> String {
    let event = |data: &Value| match data["type"].as_str() {
        Some(kind) => format!("event: {kind}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    };
    events.iter().map(event).collect()
}

fn messages() -> String {
    let delta = |index: usize, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start = |index: usize, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let stop = |index: usize| json!({"type": "content_block_stop", "index": index});
    let mut all = vec![
        json!({"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "small-1",
            "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": 1}}}),
        start(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
    ];
    all.extend(THOUGHT.map(|text| delta(0, json!({"type": "thinking_delta", "thinking": text}))));
    all.extend([
        delta(0, json!({"type": "signature_delta", "signature": signature(&THOUGHT.concat())})),
        stop(0),
        start(1, json!({"type": "tool_use", "id": "toolu_4111111111111111", "name": "send", "input": {}})),
    ]);
    all.extend(
        INPUT.map(|json| delta(1, json!({"type": "input_json_delta", "partial_json": json}))),
    );
    all.extend([
        stop(1),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
               "usage": {"output_tokens": 12}}),
        json!({"type": "message_stop"}),
    ]);
    events(&all)
}

fn chat() -> String {
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "small-1",
               "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let call = |call: Value| chunk(json!({"tool_calls": [call]}), Value::Null);
    let mut all = vec![call(json!({"index": 0, "id": "call_1", "type": "function",
                                   "function": {"name": "send", "arguments": ""}}))];
    all.extend(INPUT.map(|json| call(json!({"index": 0, "function": {"arguments": json}}))));
    all.push(chunk(json!({}), json!("tool_calls")));
    events(&all) + "data: [DONE]\n\n"
}

/// What looks like a key stands in both.
fn picture() -> String {
    let noise = STANDARD.encode(Sha256::digest("a picture"));
    format!("{noise}/AKIAIOSFODNN7EXAMPLE+{noise}").replace('=', "A")
}

fn vector() -> Vec<u8> {
    let values = [0.0411_f32, -0.5, 4.1e15, 1e-8];
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Whether the turn that a client sends has all that its provider signed.
fn is_signed(turn: &Received) -> bool {
    let block = &turn.json()["messages"][1]["content"][0];
    let text = block["thinking"].as_str().unwrap_or_default();
    block["type"] == "thinking" && block["signature"] == json!(signature(text))
}

fn the_official_clients_go_through_a_tools_turn(version: &str) {
    let python = PYTHON
        .python()
        .map(|python| (python, "tool_clients.py", Value::Null));
    let node = NODE
        .folder()
        .map(|folder| ("node".into(), "tool_clients.mjs", json!(folder)));
    for (program, script, installed) in python.into_iter().chain(node) {
        let guarded = Guarded::start(version, &everything());
        for (path, body) in [
            ("/v1/messages", messages()),
            ("/v1/chat/completions", chat()),
        ] {
            let answer = Answer::new(200).header("content-type", "text/event-stream");
            guarded
                .model
                .answer(path, answer.steps(split(body.as_bytes(), 50)));
        }
        let picture = picture();
        guarded.model.answer(
            "/v1/images/generations",
            Answer::json(&json!({"created": 1, "data": [{"b64_json": picture}]})),
        );
        let embedding =
            json!({"object": "embedding", "index": 0, "embedding": STANDARD.encode(vector())});
        guarded.model.answer(
            "/v1/embeddings",
            Answer::json(
                &json!({"object": "list", "model": "small-1", "data": [embedding],
                                 "usage": {"prompt_tokens": 1, "total_tokens": 1}}),
            ),
        );
        let asked = json!({"base_url": guarded.mesh.url(), "key": ana(), "installed": installed});
        let got = run(&program, script, &asked);
        let input = json!({"to": "[EMAIL]", "card": "[CREDIT_CARD]", "n": 1});
        assert_eq!(got["anthropic"]["input"], input, "{script}");
        assert_eq!(got["anthropic"]["id"], "toolu_4111111111111111", "{script}");
        assert_eq!(got["openai"]["input"], input, "{script}");
        assert_eq!(got["openai"]["picture"], json!(picture), "{script}");
        let floats: Vec<f32> = (vector().chunks(4))
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        let read: Vec<f32> = serde_json::from_value(got["openai"]["vector"].clone()).unwrap();
        assert_eq!(read, floats, "{script}");
        let received = guarded.model.received();
        let mut turns = received.iter().filter(|one| one.path == "/v1/messages");
        let turn = turns.nth(1).unwrap();
        assert!(is_signed(turn), "{script}: {}", turn.json());
    }
}
