//! The Gemini API and Vertex AI
//! (<https://ai.google.dev/api>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// Google's `{"error": {"code", "message", "status", "details"}}` (AIP-193).
pub static DIALECT: Dialect = Dialect {
    name: "gemini",
    routes: include_str!(concat!(env!("OUT_DIR"), "/gemini.txt")),
    layout: &[
        include_str!(concat!(env!("OUT_DIR"), "/gemini.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/anthropic.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/openai.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/mistral.layout")),
    ],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let status = error.one_of([
        "INVALID_ARGUMENT",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "INVALID_ARGUMENT",
        "RESOURCE_EXHAUSTED",
        "UNAVAILABLE",
    ]);
    Written::json(&json!({"error": {
        "code": error.status,
        "message": error.message,
        "status": status,
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": error.code.name(),
            "domain": "portcullis",
        }],
    }}))
}
