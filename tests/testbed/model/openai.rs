//! The routes of OpenAI-compatible servers.

use serde_json::{Value, json};

use super::{Answer, Received, Reply};
use crate::body::Step;

/// When everything that the double makes was made: a fixed time, in seconds.
const CREATED: u64 = 1_760_000_000;

pub(super) fn answer(method: &str, path: &str, received: &Received, reply: &Reply) -> Answer {
    let body = received.json();
    match (method, segments(path).as_slice()) {
        ("POST", ["v1", "chat", "completions"]) => generated(&Chat, &body, reply),
        ("POST", ["v1", "completions"]) => generated(&Completion, &body, reply),
        ("POST", ["v1", "embeddings"]) => embeddings(&body),
        ("GET", ["v1", "models"]) => Answer::json(&json!({
            "object": "list",
            "data": [model("small-1"), model("large-1")]
        })),
        ("GET", ["v1", "models", name]) => Answer::json(&model(name)),
        ("POST", ["v1", "files"]) => Answer::json(&file("file-1", received.body.len())),
        ("GET", ["v1", "files"]) => Answer::json(&json!({
            "object": "list",
            "data": [file("file-1", reply.text().len())]
        })),
        ("GET", ["v1", "files", id]) => Answer::json(&file(id, reply.text().len())),
        ("GET", ["v1", "files", _, "content"]) => Answer::new(200)
            .header("content-type", "application/octet-stream")
            .body(reply.text()),
        ("POST", ["v1", "fine_tuning", "jobs"]) => Answer::json(&json!({
            "id": "ftjob-1",
            "object": "fine_tuning.job",
            "created_at": CREATED,
            "model": body.get("model"),
            "training_file": body.get("training_file"),
            "status": "queued"
        })),
        _ => Answer::json(&json!({
            "error": {
                "message": format!("no route for {method} {path}"),
                "type": "invalid_request_error",
                "param": null,
                "code": null
            }
        }))
        .status(404),
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_matches('/').split('/').collect()
}

/// What differs between the two ways of generating text.
trait Shape {
    const ID: &'static str;
    const WHOLE: &'static str;
    const PIECE: &'static str;

    fn choice(index: u64, text: &str) -> Value;
    fn delta(index: u64, text: Option<&str>) -> Value;
    /// What a stream starts with, before any text.
    fn opening(index: u64) -> Option<Value>;
    fn prompt(body: &Value) -> Option<&Value>;
}

struct Chat;

impl Shape for Chat {
    const ID: &'static str = "chatcmpl-1";
    const WHOLE: &'static str = "chat.completion";
    const PIECE: &'static str = "chat.completion.chunk";

    fn choice(index: u64, text: &str) -> Value {
        json!({
            "index": index,
            "message": { "role": "assistant", "content": text, "refusal": null },
            "logprobs": null,
            "finish_reason": "stop"
        })
    }

    fn delta(index: u64, text: Option<&str>) -> Value {
        match text {
            Some(text) => json!({
                "index": index, "delta": { "content": text }, "finish_reason": null
            }),
            None => json!({ "index": index, "delta": {}, "finish_reason": "stop" }),
        }
    }

    fn opening(index: u64) -> Option<Value> {
        Some(json!({
            "index": index,
            "delta": { "role": "assistant", "content": "" },
            "finish_reason": null
        }))
    }

    fn prompt(body: &Value) -> Option<&Value> {
        body.get("messages")
    }
}

struct Completion;

impl Shape for Completion {
    const ID: &'static str = "cmpl-1";
    const WHOLE: &'static str = "text_completion";
    const PIECE: &'static str = "text_completion";

    fn choice(index: u64, text: &str) -> Value {
        json!({ "index": index, "text": text, "logprobs": null, "finish_reason": "stop" })
    }

    fn delta(index: u64, text: Option<&str>) -> Value {
        let reason = text.is_none().then_some("stop");
        json!({
            "index": index, "text": text.unwrap_or_default(), "logprobs": null,
            "finish_reason": reason
        })
    }

    fn opening(_: u64) -> Option<Value> {
        None
    }

    fn prompt(body: &Value) -> Option<&Value> {
        body.get("prompt")
    }
}

fn generated<S: Shape>(_: &S, body: &Value, reply: &Reply) -> Answer {
    let choices = body.get("n").and_then(Value::as_u64).unwrap_or(1);
    let usage = usage::<S>(body, reply, choices);
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        return streamed::<S>(body, reply, choices, &usage);
    }
    let text = reply.text();
    let all: Vec<Value> = (0..choices).map(|index| S::choice(index, &text)).collect();
    Answer::json(&json!({
        "id": S::ID,
        "object": S::WHOLE,
        "created": CREATED,
        "model": body.get("model"),
        "choices": all,
        "usage": usage
    }))
}

/// An event stream: every piece of every choice is an event, then the choices
/// end, then comes the usage if the request wants it, then the end mark.
fn streamed<S: Shape>(body: &Value, reply: &Reply, choices: u64, usage: &Value) -> Answer {
    let event = |choices: Value, usage: Option<&Value>| {
        let mut chunk = json!({
            "id": S::ID,
            "object": S::PIECE,
            "created": CREATED,
            "model": body.get("model"),
            "choices": choices
        });
        if let (Some(usage), Some(fields)) = (usage, chunk.as_object_mut()) {
            fields.insert("usage".to_owned(), usage.clone());
        }
        Step::data(format!("data: {chunk}\n\n"))
    };
    let mut steps = Vec::new();
    steps.extend((0..choices).filter_map(|i| Some(event(json!([S::opening(i)?]), None))));
    for piece in &reply.pieces {
        for index in 0..choices {
            steps.extend(reply.gate.clone().map(Step::Wait));
            steps.push(event(json!([S::delta(index, Some(piece))]), None));
        }
    }
    steps.extend((0..choices).map(|index| event(json!([S::delta(index, None)]), None)));
    let wanted = body.pointer("/stream_options/include_usage");
    if wanted.and_then(Value::as_bool) == Some(true) {
        steps.push(event(json!([]), Some(usage)));
    }
    steps.push(Step::data("data: [DONE]\n\n"));
    Answer::new(200)
        .header("content-type", "text/event-stream")
        .steps(steps)
}

/// Tokens are counted as words: a test can tell how many there must be.
fn usage<S: Shape>(body: &Value, reply: &Reply, choices: u64) -> Value {
    let prompt = S::prompt(body).map_or(0, count_words);
    let said = reply.text().split_whitespace().count() as u64;
    let completion = said.saturating_mul(choices);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.saturating_add(completion)
    })
}

/// The words in all texts of a prompt, or in all `content` of its messages.
fn count_words(prompt: &Value) -> u64 {
    match prompt {
        Value::String(text) => text.split_whitespace().count() as u64,
        Value::Array(items) => items.iter().map(count_words).sum(),
        Value::Object(fields) => ["content", "text"]
            .iter()
            .filter_map(|name| fields.get(*name))
            .map(count_words)
            .sum(),
        _ => 0,
    }
}

/// One vector for each text or list of tokens that was given.
fn embeddings(body: &Value) -> Answer {
    let inputs = match body.get("input") {
        Some(Value::Array(items)) if !items.iter().all(Value::is_number) => items.len(),
        _ => 1,
    };
    let data: Vec<Value> = (0..inputs)
        .map(|index| {
            json!({ "object": "embedding", "index": index, "embedding": [0.25, -0.5, 0.125] })
        })
        .collect();
    let tokens = body.get("input").map_or(0, count_words);
    Answer::json(&json!({
        "object": "list",
        "model": body.get("model"),
        "data": data,
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens }
    }))
}

fn model(name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": CREATED, "owned_by": "testbed" })
}

fn file(id: &str, bytes: usize) -> Value {
    json!({
        "id": id,
        "object": "file",
        "bytes": bytes,
        "created_at": CREATED,
        "filename": "model.safetensors",
        "purpose": "fine-tune"
    })
}
