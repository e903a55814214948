//! The paths of Hugging Face's hub and of its inference router
//! (<https://huggingface.co/docs/hub/api>).

use serde_json::json;

use super::{ApiError, Dialect, Stream, Written, event, none_in_code};

/// `{"error": "..."}`, and the same in a header, which its client shows.
pub static DIALECT: Dialect = Dialect {
    name: "huggingface",
    routes: include_str!(concat!(env!("OUT_DIR"), "/huggingface.txt")),
    layout: &[include_str!(concat!(
        env!("OUT_DIR"),
        "/huggingface.layout"
    ))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"error": error.text()})).with("x-error-message", error.text())
}

/// An event whose data is the error's body (huggingface_hub, `inference/_common.py`: what has `error` is
/// raised).
fn in_stream(error: &ApiError<'_>, stream: Stream, _path: &str) -> Option<String> {
    (stream == Stream::Events).then(|| event(None, &self::error(error).body))
}
