//! Anthropic's API
//! (<https://docs.anthropic.com/en/api>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code};

/// `{"type": "error", "error": {"type", "message", "details"}}`; its clients read the code there.
pub static DIALECT: Dialect = Dialect {
    name: "anthropic",
    routes: include_str!(concat!(env!("OUT_DIR"), "/anthropic.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/anthropic.layout"))],
    body: none_in_code,
    header: Some("anthropic-version"),
    model_headers: &[],
    escaped_slashes: false,
    error,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "request_too_large",
        "rate_limit_error",
        "api_error",
    ]);
    Written::json(&json!({
        "type": "error",
        "error": {
            "type": kind,
            "message": error.message,
            // Where those look who read errors of any vendor.
            "code": error.code.name(),
            "details": {"error_code": error.code.name()},
        },
    }))
}
