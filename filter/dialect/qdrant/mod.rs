//! Qdrant, over HTTP and gRPC
//! (<https://api.qdrant.tech/api-reference>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"status": {"error"}, "time"}`.
pub static DIALECT: Dialect = Dialect {
    name: "qdrant",
    routes: include_str!(concat!(env!("OUT_DIR"), "/qdrant.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/qdrant.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"status": {"error": error.text()}, "time": 0.0}))
}
