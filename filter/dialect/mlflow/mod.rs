//! MLflow's tracking server and gateway
//! (<https://mlflow.org/docs/latest/api_reference/rest-api.html>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"error_code", "message"}`.
pub static DIALECT: Dialect = Dialect {
    name: "mlflow",
    routes: include_str!(concat!(env!("OUT_DIR"), "/mlflow.txt")),
    layout: &[
        include_str!(concat!(env!("OUT_DIR"), "/openai.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/anthropic.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/gemini.layout")),
    ],
    body: none_in_code,
    header: None,
    model_headers: &[
        // SageMaker hosts servers of other makes behind this dialect's paths.
        "x-amzn-sagemaker-target-model",
        "x-amzn-sagemaker-inference-component",
        "x-amzn-sagemaker-target-container-hostname",
        "x-amzn-sagemaker-adapter-identifier",
    ],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "INVALID_PARAMETER_VALUE",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "INVALID_PARAMETER_VALUE",
        "REQUEST_LIMIT_EXCEEDED",
        "TEMPORARILY_UNAVAILABLE",
    ]);
    Written::json(&json!({"error_code": kind, "message": error.text()}))
}
