//! Weaviate, over HTTP and gRPC
//! (<https://docs.weaviate.io/weaviate/api/rest>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"error": [{"message"}]}`.
pub static DIALECT: Dialect = Dialect {
    name: "weaviate",
    routes: include_str!(concat!(env!("OUT_DIR"), "/weaviate.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/weaviate.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"error": [{"message": error.text()}]}))
}
