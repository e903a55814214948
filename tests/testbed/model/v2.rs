//! The routes of the Open Inference Protocol (KServe V2) over HTTP.

use serde_json::{Value, json};

use super::{Answer, Reply};

/// The answer, or `None` for a path that is not the protocol's.
pub(super) fn answer(method: &str, path: &str, body: &Value, reply: &Reply) -> Option<Answer> {
    let path = path.strip_prefix("/v2")?;
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let answer = match (method, segments.as_slice()) {
        ("GET", []) => Answer::json(&json!({
            "name": "testbed", "version": "1", "extensions": []
        })),
        ("GET", ["health", "live"]) => Answer::json(&json!({ "live": true })),
        ("GET", ["health", "ready"]) => Answer::json(&json!({ "ready": true })),
        ("GET", ["models", name] | ["models", name, "versions", _]) => metadata(name),
        ("GET", ["models", name, "ready"] | ["models", name, "versions", _, "ready"]) => {
            Answer::json(&json!({ "name": name, "ready": true }))
        }
        ("POST", ["models", name, "infer"] | ["models", name, "versions", _, "infer"]) => {
            infer(name, body, reply)
        }
        _ => Answer::json(&json!({ "error": format!("no route for {method} /v2{path}") }))
            .status(404),
    };
    Some(answer)
}

fn metadata(name: &str) -> Answer {
    Answer::json(&json!({
        "name": name,
        "versions": ["1"],
        "platform": "testbed",
        "inputs": [{ "name": "text_input", "datatype": "BYTES", "shape": [-1] }],
        "outputs": [{ "name": "text_output", "datatype": "BYTES", "shape": [-1] }]
    }))
}

fn infer(name: &str, body: &Value, reply: &Reply) -> Answer {
    Answer::json(&json!({
        "model_name": name,
        "model_version": "1",
        "id": body.get("id"),
        "outputs": [{
            "name": "text_output",
            "datatype": "BYTES",
            "shape": [1],
            "data": [reply.text()]
        }]
    }))
}
