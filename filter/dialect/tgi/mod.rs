//! Hugging Face's text-generation-inference
//! (<https://huggingface.github.io/text-generation-inference>).

use serde_json::json;

use super::{ApiError, Dialect, Stream, Written, event, none_in_code};

/// `{"error", "error_type"}`.
pub static DIALECT: Dialect = Dialect {
    name: "tgi",
    routes: include_str!(concat!(env!("OUT_DIR"), "/tgi.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/tgi.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "validation",
        "unauthorized",
        "forbidden",
        "validation",
        "overloaded",
        "unhealthy",
    ]);
    Written::json(&json!({"error": error.text(), "error_type": kind}))
}

/// An event whose data is the error's body (huggingface_hub, `inference/_common.py`: what has `error` is
/// raised).
fn in_stream(error: &ApiError<'_>, stream: Stream, _path: &str) -> Option<String> {
    (stream == Stream::Events).then(|| event(None, &self::error(error).body))
}
