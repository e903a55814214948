//! Ollama's own API
//! (<https://github.com/ollama/ollama/blob/main/docs/api.md>).

use serde_json::json;

use super::{ApiError, Dialect, Stream, Written, none_in_code};

/// `{"error": "..."}`.
pub static DIALECT: Dialect = Dialect {
    name: "ollama",
    routes: include_str!(concat!(env!("OUT_DIR"), "/ollama.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/ollama.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"error": error.text()}))
}

/// A line (ollama-python, `_client.py`: what has `error` is raised).
fn in_stream(error: &ApiError<'_>, stream: Stream, _path: &str) -> Option<String> {
    (stream == Stream::Lines).then(|| self::error(error).body + "\n")
}
