//! OpenAI's API (<https://platform.openai.com/docs/api-reference>), which vLLM, llama.cpp, Ollama, TEI
//! and many others speak too.

use serde_json::json;

use super::{ApiError, Body, Dialect, JsonBody, Written};

/// `{"error": {"message", "type", "param", "code"}}`.
pub static DIALECT: Dialect = Dialect {
    name: "openai",
    error,
};

pub(super) const CHAT: Body = Body::Json(&JsonBody {
    choices: &["n"],
    input: None,
    tensors: None,
});

pub(super) const COMPLETION: Body = Body::Json(&JsonBody {
    choices: &["n", "best_of"],
    input: Some("prompt"),
    tensors: None,
});

pub(super) const EMBEDDING: Body = Body::Json(&JsonBody {
    choices: &[],
    input: Some("input"),
    tensors: None,
});

fn error(error: &ApiError<'_>) -> Written {
    let body = json!({"error": {
        "message": error.message,
        "type": type_of(error.status),
        "param": null,
        "code": error.code.name(),
    }});
    Written {
        content_type: Some("application/json"),
        body: body.to_string(),
    }
}

fn type_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}
