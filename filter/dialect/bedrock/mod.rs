//! Amazon Bedrock's runtime
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// `{"message"}`; the exception's name stands in a header.
pub static DIALECT: Dialect = Dialect {
    name: "bedrock",
    routes: include_str!(concat!(env!("OUT_DIR"), "/bedrock.txt")),
    layout: &[
        include_str!(concat!(env!("OUT_DIR"), "/bedrock.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/anthropic.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/openai.layout")),
        include_str!(concat!(env!("OUT_DIR"), "/mistral.layout")),
    ],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: true,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    let kind = error.one_of([
        "ValidationException",
        "UnrecognizedClientException",
        "AccessDeniedException",
        "ValidationException",
        "ThrottlingException",
        "ServiceUnavailableException",
    ]);
    Written::json(&json!({"message": error.text()})).with("x-amzn-errortype", kind)
}
