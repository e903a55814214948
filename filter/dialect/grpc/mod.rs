//! KServe V2, the Open Inference Protocol, over gRPC, with Triton's extensions
//! (<https://github.com/triton-inference-server/common/blob/main/protobuf/grpc_service.proto>), and
//! services that every gRPC server may have.

mod infer_request;

use std::sync::Arc;

use base::shape::GrpcMessage;

use super::body::{Form, GrpcShape, ModelPlace, Places, Shape};
use super::{ApiError, Body, Dialect, UsagePlaces, Written, none_in_stream};

/// A status in trailers, which Envoy makes of the HTTP status and the body.
pub static DIALECT: Dialect = Dialect {
    name: "grpc",
    routes: include_str!(concat!(env!("OUT_DIR"), "/grpc.txt")),
    layout: &[],
    body,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn body(name: &str) -> Option<Body> {
    let (answer, streams) = match name {
        "infer" => (GrpcMessage::ModelInferResponse, false),
        "stream_infer" => (GrpcMessage::ModelStreamInferResponse, true),
        _ => return None,
    };
    Some(Body::Shaped(Arc::new(Shape {
        form: Form::Grpc(GrpcShape {
            take: Some(infer_request::take),
            request: GrpcMessage::ModelInferRequest,
            answer,
            streams,
        }),
        places: Places::default(),
        model: ModelPlace::Body,
        counted: true,
        unread: false,
        usage: UsagePlaces::default(),
    })))
}

fn error(error: &ApiError<'_>) -> Written {
    Written {
        headers: Vec::new(),
        // Envoy takes it for the grpc-message.
        body: error.message.to_owned(),
    }
}
