//! OpenAI's API, which vLLM, llama.cpp, LocalAI, SGLang, LMDeploy, Azure and many others speak too
//! (<https://platform.openai.com/docs/api-reference>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code};

/// `{"error": {"message", "type", "param", "code"}}`.
pub static DIALECT: Dialect = Dialect {
    name: "openai",
    routes: include_str!(concat!(env!("OUT_DIR"), "/openai.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/openai.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[
        "x-gateway-model-name",
        "x-ai-eg-model",
        // Ray Serve's and Azure's.
        "serve_multiplexed_model_id",
        "ray_serve_multiplexed_model_id",
        "azureml-model-deployment",
    ],
    escaped_slashes: false,
    error,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "invalid_request_error",
        "rate_limit_error",
        "server_error",
    ]);
    Written::json(&json!({"error": {
        "message": error.message,
        "type": kind,
        "param": null,
        "code": error.code.name(),
    }}))
}
