//! Cohere's API
//! (<https://docs.cohere.com/reference/about>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"message"}`.
pub static DIALECT: Dialect = Dialect {
    name: "cohere",
    routes: include_str!(concat!(env!("OUT_DIR"), "/cohere.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/cohere.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"message": error.text()}))
}
