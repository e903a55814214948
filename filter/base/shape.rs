//! What messages are, as dialects say it and masking reads them.

/// The type of a gRPC body's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcMessage {
    /// `inference.ModelInferRequest` of the Open Inference Protocol (KServe V2).
    ModelInferRequest,
    /// `inference.ModelInferResponse` of the Open Inference Protocol (KServe V2).
    ModelInferResponse,
    /// `inference.ModelStreamInferResponse`, Triton's stream of them.
    ModelStreamInferResponse,
    /// `google.rpc.Status`, whose details may be anything.
    Status,
    /// One whose fields are not known, read by protobuf's wire format.
    Any,
}
