//! TorchServe
//! (<https://docs.pytorch.org/serve/rest_api.html>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"code", "type", "message"}`.
pub static DIALECT: Dialect = Dialect {
    name: "torchserve",
    routes: include_str!(concat!(env!("OUT_DIR"), "/torchserve.txt")),
    layout: &[],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "BadRequestException",
        "InvalidKeyException",
        "AccessDeniedException",
        "RequestEntityTooLargeException",
        "ThrottlingException",
        "ServiceUnavailableException",
    ]);
    Written::json(&json!({"code": error.status, "type": kind, "message": error.text()}))
}
