//! The paths of Hugging Face's hub and of its inference router
//! (<https://huggingface.co/docs/hub/api>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code};

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
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"error": error.text()})).with("x-error-message", error.text())
}
