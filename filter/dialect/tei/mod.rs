//! Hugging Face's text-embeddings-inference
//! (<https://huggingface.github.io/text-embeddings-inference>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"error", "error_type"}`.
pub static DIALECT: Dialect = Dialect {
    name: "tei",
    routes: include_str!(concat!(env!("OUT_DIR"), "/tei.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/tei.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
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
