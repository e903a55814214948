//! KServe V2, the Open Inference Protocol, and Triton, over HTTP
//! (<https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"error": "..."}`.
pub static DIALECT: Dialect = Dialect {
    name: "kserve",
    routes: include_str!(concat!(env!("OUT_DIR"), "/kserve.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/kserve.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &["mm-model-id", "mm-vmodel-id", "seldon-model"],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"error": error.text()}))
}
