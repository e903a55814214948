//! KServe V2, the Open Inference Protocol, over gRPC, and Triton's stream of it.

mod infer_request;

use base::shape::GrpcMessage;

use super::{ApiError, Body, Dialect, GrpcBody, Written};

/// A status in trailers, which Envoy makes of the HTTP status and the body.
pub static DIALECT: Dialect = Dialect {
    name: "grpc",
    error,
};

pub(super) const INFER: Body = Body::Grpc(&GrpcBody {
    take: Some(infer_request::take),
    request: GrpcMessage::ModelInferRequest,
    answer: GrpcMessage::ModelInferResponse,
});

pub(super) const STREAM_INFER: Body = Body::GrpcStream(GrpcMessage::ModelStreamInferResponse);

/// A message of which nothing is asked.
pub(super) const MESSAGE: Body = Body::Grpc(&GrpcBody {
    take: None,
    request: GrpcMessage::Any,
    answer: GrpcMessage::Any,
});

fn error(error: &ApiError<'_>) -> Written {
    Written {
        content_type: None,
        // Envoy takes it for the grpc-message.
        body: error.message.to_owned(),
    }
}
