//! The official clients of OpenAI and Anthropic read a masked stream token by token, with nothing
//! changed but their base URL and their key.

use serde_json::{Value, json};
use testbed::body::split;
use testbed::model::Answer;

use super::everything;
use crate::installed::{PYTHON, run};
use crate::support::{Guarded, ana};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(the_official_clients_stream_masked_text);

/// What the models say, and what of it reaches the clients.
const SAID: [&str; 6] = [
    "Write to an",
    "a@corp",
    ".com about ",
    "4111 1111 ",
    "1111 1111",
    ".",
];
const READ: &str = "Write to [EMAIL] about [CREDIT_CARD].";

fn stream(events: &[(&str, Value)]) -> String {
    let event = |(name, data): &(&str, Value)| match name.is_empty() {
        true => format!("data: {data}\n\n"),
        false => format!("event: {name}\ndata: {data}\n\n"),
    };
    events.iter().map(event).collect()
}

fn anthropics() -> String {
    let mut events = vec![
        (
            "message_start",
            json!({"type": "message_start", "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "content": [],
                "model": "small-1", "stop_reason": null, "stop_sequence": null,
                "usage": {"input_tokens": 9, "output_tokens": 1}
            }}),
        ),
        (
            "content_block_start",
            json!({"type": "content_block_start", "index": 0,
                   "content_block": {"type": "text", "text": ""}}),
        ),
        ("ping", json!({"type": "ping"})),
    ];
    events.extend(SAID.map(|piece| {
        (
            "content_block_delta",
            json!({"type": "content_block_delta", "index": 0,
                   "delta": {"type": "text_delta", "text": piece}}),
        )
    }));
    events.extend([
        (
            "content_block_stop",
            json!({"type": "content_block_stop", "index": 0}),
        ),
        (
            "message_delta",
            json!({"type": "message_delta",
                   "delta": {"stop_reason": "end_turn", "stop_sequence": null},
                   "usage": {"output_tokens": 12}}),
        ),
        ("message_stop", json!({"type": "message_stop"})),
    ]);
    stream(&events)
}

fn responses() -> String {
    let response = |status: &str, output: Value| {
        json!({"id": "resp_1", "object": "response", "created_at": 1, "status": status,
               "error": null, "incomplete_details": null, "instructions": null,
               "metadata": {}, "model": "small-1", "output": output, "parallel_tool_calls": true,
               "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0})
    };
    let part = json!({"type": "output_text", "text": "", "annotations": []});
    let item = json!({"id": "msg_1", "type": "message", "role": "assistant",
                      "status": "in_progress", "content": []});
    let mut number = 0;
    let mut event = |kind: &'static str, mut data: Value| {
        data["type"] = json!(kind);
        data["sequence_number"] = json!(number);
        number += 1;
        (kind, data)
    };
    let mut events = vec![
        event(
            "response.created",
            json!({"response": response("in_progress", json!([]))}),
        ),
        event(
            "response.output_item.added",
            json!({"output_index": 0, "item": item}),
        ),
        event(
            "response.content_part.added",
            json!({"item_id": "msg_1", "output_index": 0, "content_index": 0, "part": part}),
        ),
    ];
    for piece in SAID {
        events.push(event(
            "response.output_text.delta",
            json!({"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": piece,
                   "logprobs": []}),
        ));
    }
    events.push(event(
        "response.output_text.done",
        json!({"item_id": "msg_1", "output_index": 0, "content_index": 0,
               "text": SAID.concat(), "logprobs": []}),
    ));
    let done = json!([{"id": "msg_1", "type": "message", "role": "assistant",
                       "status": "completed",
                       "content": [{"type": "output_text", "text": SAID.concat(),
                                    "annotations": []}]}]);
    events.push(event(
        "response.completed",
        json!({"response": response("completed", done)}),
    ));
    stream(&events)
}

fn the_official_clients_stream_masked_text(version: &str) {
    let Some(python) = PYTHON.python() else {
        return;
    };
    let guarded = Guarded::start(version, &everything());
    guarded.model.say_tokens(&SAID);
    for (path, body) in [
        ("/v1/messages", anthropics()),
        ("/v1/responses", responses()),
    ] {
        let answer = Answer::new(200).header("content-type", "text/event-stream");
        guarded
            .model
            .answer(path, answer.steps(split(body.as_bytes(), 100)));
    }
    for client in ["openai", "anthropic"] {
        let asked = json!({"client": client, "base_url": guarded.mesh.url(), "key": ana()});
        let got = run(&python, "streaming_clients.py", &asked);
        let texts = got.as_object().unwrap();
        assert!(!texts.is_empty());
        for (way, pieces) in texts {
            let pieces: Vec<&str> = pieces
                .as_array()
                .unwrap()
                .iter()
                .map(|piece| piece.as_str().unwrap())
                .collect();
            assert_eq!(pieces.concat(), READ, "{client}, {way}");
            let whole = way.ends_with("whole");
            assert!(whole || pieces.len() > 2, "{client}, {way}: {pieces:?}");
        }
    }
}
