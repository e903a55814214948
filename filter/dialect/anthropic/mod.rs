//! Anthropic's API
//! (<https://docs.anthropic.com/en/api>).

use serde_json::json;

use super::{ApiError, Dialect, Stream, Written, event, none_in_code};

/// `{"type": "error", "error": {"type", "message", "details"}}`; its clients read the code there.
pub static DIALECT: Dialect = Dialect {
    name: "anthropic",
    routes: include_str!(concat!(env!("OUT_DIR"), "/anthropic.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/anthropic.layout"))],
    body: none_in_code,
    header: Some("anthropic-version"),
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "request_too_large",
        "rate_limit_error",
        "api_error",
    ]);
    Written::json(&json!({
        "type": "error",
        "error": {
            "type": kind,
            "message": error.message,
            // Where those look who read errors of any vendor.
            "code": error.code.name(),
            "details": {"error_code": error.code.name()},
        },
    }))
}

/// An event named `error` (anthropic-sdk-python, `_streaming.py`: it is raised).
fn in_stream(error: &ApiError<'_>, stream: Stream, _path: &str) -> Option<String> {
    (stream == Stream::Events).then(|| event(Some("error"), &self::error(error).body))
}
