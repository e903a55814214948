//! KServe V2, the Open Inference Protocol, over HTTP
//! (<https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol>).

use serde_json::json;

use super::{ApiError, Body, Dialect, JsonBody, Written};

/// `{"error": "..."}`.
pub static DIALECT: Dialect = Dialect {
    name: "kserve",
    error,
};

pub(super) const TENSORS: Body = Body::Json(&JsonBody {
    choices: &[],
    input: None,
    tensors: Some("inputs"),
});

fn error(error: &ApiError<'_>) -> Written {
    let text = format!("{}: {}", error.code, error.message);
    Written {
        content_type: Some("application/json"),
        body: json!({ "error": text }).to_string(),
    }
}
