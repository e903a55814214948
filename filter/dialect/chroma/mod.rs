//! Chroma
//! (<https://docs.trychroma.com/reference/chroma-reference>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"error", "message"}`.
pub static DIALECT: Dialect = Dialect {
    name: "chroma",
    routes: include_str!(concat!(env!("OUT_DIR"), "/chroma.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/chroma.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "InvalidArgumentError",
        "AuthError",
        "ForbiddenError",
        "InvalidArgumentError",
        "RateLimitError",
        "InternalError",
    ]);
    Written::json(&json!({"error": kind, "message": error.text()}))
}
