//! What the tests of event streams share.

mod alike;
mod bounds;
mod continuation;
mod framing;
mod random;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Format;
use super::super::tests::{mask, masked_text};

pub(super) fn events(body: &str) -> String {
    masked_text(&mask(), Format::Events, body)
}

/// A chat chunk in which the text stands at `path` of the delta.
pub(super) fn chunk(choice: usize, delta: &Value) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"index": choice, "delta": delta}]})
    )
}

pub(super) fn contents(pieces: &[&str]) -> String {
    pieces
        .iter()
        .map(|piece| chunk(0, &json!({"content": piece})))
        .collect()
}

/// What a client makes of a stream: the values of the `data` fields of each event.
pub(super) fn payloads(stream: &str) -> Vec<String> {
    let stream = stream.replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Vec::new();
    for event in stream.split("\n\n") {
        let data: Vec<&str> = event
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|value| value.strip_prefix(' ').unwrap_or(value))
            .collect();
        if !data.is_empty() {
            found.push(data.join("\n"));
        }
    }
    found
}

/// What a chat client makes of a stream: each choice's texts, by channel.
pub(super) fn chat(stream: &str) -> BTreeMap<(u64, String), String> {
    let mut texts = BTreeMap::new();
    for payload in payloads(stream)
        .iter()
        .filter(|payload| *payload != "[DONE]")
    {
        let value: Value = serde_json::from_str(payload).expect("a chunk is JSON");
        for choice in value["choices"].as_array().expect("choices") {
            let index = choice["index"].as_u64().expect("an index");
            let mut add = |channel: String, piece: &Value| {
                if let Some(piece) = piece.as_str() {
                    texts
                        .entry((index, channel))
                        .or_insert_with(String::new)
                        .push_str(piece);
                }
            };
            for channel in ["content", "reasoning_content", "refusal"] {
                add(channel.to_owned(), &choice["delta"][channel]);
            }
            for call in choice["delta"]["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
            {
                add(
                    format!("call {}", call["index"]),
                    &call["function"]["arguments"],
                );
            }
        }
    }
    texts
}
