//! Ollama's own API
//! (<https://github.com/ollama/ollama/blob/main/docs/api.md>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code};

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
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"error": error.text()}))
}
