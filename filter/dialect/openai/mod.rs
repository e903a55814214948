//! OpenAI's API, which vLLM, llama.cpp, LocalAI, SGLang, LMDeploy, Azure and many others speak too
//! (<https://platform.openai.com/docs/api-reference>).

use serde_json::{Value, json};

use super::{ApiError, Dialect, Stream, Written, event, none_in_code};

/// `{"error": {"message", "type", "param", "code"}}`.
pub static DIALECT: Dialect = Dialect {
    name: "openai",
    routes: include_str!(concat!(env!("OUT_DIR"), "/openai.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/openai.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[
        "x-gateway-model-name",
        "x-ai-eg-model",
        // Ray Serve's and Azure's.
        "serve_multiplexed_model_id",
        "ray_serve_multiplexed_model_id",
        "azureml-model-deployment",
    ],
    escaped_slashes: false,
    error,
    in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "invalid_request_error",
        "rate_limit_error",
        "server_error",
    ]);
    Written::json(&json!({"error": {
        "message": error.message,
        "type": kind,
        "param": null,
        "code": error.code.name(),
    }}))
}

/// An event whose data is the error's body: clients raise what has `error`, whatever the event's name
/// is (openai-python, `_streaming.py`; openai-node, `core/streaming.ts`). Streams of responses have
/// events of their own for it.
fn in_stream(error: &ApiError<'_>, stream: Stream, path: &str) -> Option<String> {
    if stream != Stream::Events {
        return None;
    }
    let body = self::error(error).body;
    if !path.ends_with("/responses") {
        return Some(event(None, &body));
    }
    let mut data: Value = serde_json::from_str(&body).ok()?;
    let members = data.as_object_mut()?;
    members.insert("type".to_owned(), "error".into());
    members.insert("code".to_owned(), error.code.name().into());
    members.insert("message".to_owned(), error.message.into());
    members.insert("param".to_owned(), Value::Null);
    Some(event(Some("error"), &data.to_string()))
}
