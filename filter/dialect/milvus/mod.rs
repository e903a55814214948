//! Milvus, over HTTP and gRPC
//! (<https://milvus.io/api-reference/restful/v2.6.x/About.md>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"code", "message"}`.
pub static DIALECT: Dialect = Dialect {
    name: "milvus",
    routes: include_str!(concat!(env!("OUT_DIR"), "/milvus.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/milvus.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"code": error.status, "message": error.text()}))
}
