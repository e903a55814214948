//! What Mistral's API has besides OpenAI's routes
//! (<https://docs.mistral.ai/api>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"object": "error", "message", "type", "param", "code"}`.
pub static DIALECT: Dialect = Dialect {
    name: "mistral",
    routes: include_str!(concat!(env!("OUT_DIR"), "/mistral.txt")),
    layout: &[
        include_str!(concat!(env!("OUT_DIR"), "/mistral.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/openai.layout")),
    ],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
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
    Written::json(&json!({
        "object": "error",
        "message": error.message,
        "type": kind,
        "param": null,
        "code": error.code.name(),
    }))
}
