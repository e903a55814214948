//! TensorFlow Serving, over HTTP and gRPC
//! (<https://www.tensorflow.org/tfx/serving/api_rest>).

mod predict_request;

use std::sync::Arc;

use base::shape::GrpcMessage;
use serde_json::json;

use super::body::{Form, GrpcShape, ModelPlace, Places, Shape};
use super::{ApiError, Body, Dialect, UsagePlaces, Written, none_in_stream};

/// `{"error": "..."}`.
pub static DIALECT: Dialect = Dialect {
    name: "tfserving",
    routes: include_str!(concat!(env!("OUT_DIR"), "/tfserving.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/tfserving.layout"))],
    body,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn body(name: &str) -> Option<Body> {
    (name == "predict").then(|| {
        Body::Shaped(Arc::new(Shape {
            form: Form::Grpc(GrpcShape {
                take: Some(predict_request::take),
                request: GrpcMessage::Any,
                answer: GrpcMessage::Any,
                streams: false,
            }),
            places: Places::default(),
            model: ModelPlace::Body,
            counted: true,
            unread: false,
            usage: UsagePlaces::default(),
        }))
    })
}

fn error(error: &ApiError<'_>) -> Written {
    Written::json(&json!({"error": error.text()}))
}
