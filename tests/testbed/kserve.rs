//! The gRPC messages of the Open Inference Protocol (KServe V2), as far as tests
//! use them, written from the protocol's field numbers.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

/// The gRPC service's full name.
pub const SERVICE: &str = "inference.GRPCInferenceService";

/// An empty message: the requests of `ServerLive`, `ServerReady` and
/// `ServerMetadata`.
#[derive(Clone, PartialEq, Message)]
pub struct Empty {}

/// The answer of `ServerLive`, `ServerReady` and `ModelReady`.
#[derive(Clone, PartialEq, Message)]
pub struct Health {
    /// Whether it lives or is ready.
    #[prost(bool, tag = "1")]
    pub yes: bool,
}

/// The request of `ModelReady` and `ModelMetadata`.
#[derive(Clone, PartialEq, Message)]
pub struct ModelName {
    /// The model.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its version; empty leaves the choice to the server.
    #[prost(string, tag = "2")]
    pub version: String,
}

/// The answer of `ServerMetadata`.
#[derive(Clone, PartialEq, Message)]
pub struct ServerMetadata {
    /// The server's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The server's version.
    #[prost(string, tag = "2")]
    pub version: String,
    /// What it can do beyond the protocol.
    #[prost(string, repeated, tag = "3")]
    pub extensions: Vec<String>,
}

/// The answer of `ModelMetadata`.
#[derive(Clone, PartialEq, Message)]
pub struct ModelMetadata {
    /// The model.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The versions that the server has.
    #[prost(string, repeated, tag = "2")]
    pub versions: Vec<String>,
    /// What runs it.
    #[prost(string, tag = "3")]
    pub platform: String,
    /// What it takes.
    #[prost(message, repeated, tag = "4")]
    pub inputs: Vec<TensorMetadata>,
    /// What it gives.
    #[prost(message, repeated, tag = "5")]
    pub outputs: Vec<TensorMetadata>,
}

/// One tensor in [`ModelMetadata`].
#[derive(Clone, PartialEq, Message)]
pub struct TensorMetadata {
    /// The tensor's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// For example `BYTES` or `FP32`.
    #[prost(string, tag = "2")]
    pub datatype: String,
    /// Its dimensions; -1 where any size will do.
    #[prost(int64, repeated, tag = "3")]
    pub shape: Vec<i64>,
}

/// A named option of a request, a response or a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Parameter {
    /// The value.
    #[prost(oneof = "ParameterValue", tags = "1, 2, 3")]
    pub value: Option<ParameterValue>,
}

/// What a [`Parameter`] can hold.
#[derive(Clone, PartialEq, Oneof)]
pub enum ParameterValue {
    /// A truth value.
    #[prost(bool, tag = "1")]
    Bool(bool),
    /// A number.
    #[prost(int64, tag = "2")]
    Int(i64),
    /// A text.
    #[prost(string, tag = "3")]
    Text(String),
}

/// A tensor's elements, in the field of its type.
#[derive(Clone, PartialEq, Message)]
pub struct Contents {
    /// `BOOL`.
    #[prost(bool, repeated, tag = "1")]
    pub bools: Vec<bool>,
    /// `INT8`, `INT16` and `INT32`.
    #[prost(int32, repeated, tag = "2")]
    pub ints: Vec<i32>,
    /// `INT64`.
    #[prost(int64, repeated, tag = "3")]
    pub int64s: Vec<i64>,
    /// `UINT8`, `UINT16` and `UINT32`.
    #[prost(uint32, repeated, tag = "4")]
    pub uints: Vec<u32>,
    /// `UINT64`.
    #[prost(uint64, repeated, tag = "5")]
    pub uint64s: Vec<u64>,
    /// `FP32`.
    #[prost(float, repeated, tag = "6")]
    pub floats: Vec<f32>,
    /// `FP64`.
    #[prost(double, repeated, tag = "7")]
    pub doubles: Vec<f64>,
    /// `BYTES`: texts, or anything.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub bytes: Vec<Vec<u8>>,
}

/// A tensor of a request or of a response: both have these fields.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// The tensor's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// For example `BYTES` or `FP32`.
    #[prost(string, tag = "2")]
    pub datatype: String,
    /// Its dimensions.
    #[prost(int64, repeated, tag = "3")]
    pub shape: Vec<i64>,
    /// Its options.
    #[prost(btree_map = "string, message", tag = "4")]
    pub parameters: BTreeMap<String, Parameter>,
    /// Its elements, unless the message has them raw.
    #[prost(message, optional, tag = "5")]
    pub contents: Option<Contents>,
}

/// An output that a request asks for.
#[derive(Clone, PartialEq, Message)]
pub struct RequestedOutput {
    /// The tensor's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its options.
    #[prost(btree_map = "string, message", tag = "2")]
    pub parameters: BTreeMap<String, Parameter>,
}

/// The request of `ModelInfer` and of `ModelStreamInfer`.
#[derive(Clone, PartialEq, Message)]
pub struct InferRequest {
    /// The model.
    #[prost(string, tag = "1")]
    pub model_name: String,
    /// Its version; empty leaves the choice to the server.
    #[prost(string, tag = "2")]
    pub model_version: String,
    /// What the answer will repeat.
    #[prost(string, tag = "3")]
    pub id: String,
    /// The request's options.
    #[prost(btree_map = "string, message", tag = "4")]
    pub parameters: BTreeMap<String, Parameter>,
    /// What goes in.
    #[prost(message, repeated, tag = "5")]
    pub inputs: Vec<Tensor>,
    /// What is asked for; all if empty.
    #[prost(message, repeated, tag = "6")]
    pub outputs: Vec<RequestedOutput>,
    /// The inputs' elements as they lie in memory, one entry a tensor.
    #[prost(bytes = "vec", repeated, tag = "7")]
    pub raw: Vec<Vec<u8>>,
}

impl InferRequest {
    /// A request with these texts in one tensor.
    #[must_use]
    pub fn of_texts(model: &str, texts: &[&str]) -> Self {
        Self {
            model_name: model.to_owned(),
            id: "1".to_owned(),
            inputs: vec![text_tensor("text_input", texts)],
            ..Self::default()
        }
    }
}

/// The answer of `ModelInfer`.
#[derive(Clone, PartialEq, Message)]
pub struct InferResponse {
    /// The model that answered.
    #[prost(string, tag = "1")]
    pub model_name: String,
    /// Its version.
    #[prost(string, tag = "2")]
    pub model_version: String,
    /// The request's own.
    #[prost(string, tag = "3")]
    pub id: String,
    /// The answer's options.
    #[prost(btree_map = "string, message", tag = "4")]
    pub parameters: BTreeMap<String, Parameter>,
    /// What came out.
    #[prost(message, repeated, tag = "5")]
    pub outputs: Vec<Tensor>,
    /// The outputs' elements as they lie in memory, one entry a tensor: of
    /// `BYTES`, each element behind its length in four bytes, little-endian.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub raw: Vec<Vec<u8>>,
}

impl InferResponse {
    /// An answer to `request` with these texts in one tensor.
    #[must_use]
    pub fn of_texts(request: &InferRequest, texts: &[&str]) -> Self {
        Self {
            model_name: request.model_name.clone(),
            model_version: "1".to_owned(),
            id: request.id.clone(),
            outputs: vec![text_tensor("text_output", texts)],
            ..Self::default()
        }
    }

    /// The same answer with its elements raw.
    #[must_use]
    pub fn into_raw(mut self) -> Self {
        for tensor in &mut self.outputs {
            let contents = tensor.contents.take().unwrap_or_default();
            let mut raw = Vec::new();
            for element in contents.bytes {
                let length = u32::try_from(element.len()).unwrap_or(u32::MAX);
                raw.extend_from_slice(&length.to_le_bytes());
                raw.extend_from_slice(&element);
            }
            self.raw.push(raw);
        }
        self
    }

    /// The texts of all tensors, however their elements are written.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut found = Vec::new();
        for contents in self.outputs.iter().filter_map(|t| t.contents.as_ref()) {
            found.extend(contents.bytes.iter().map(|bytes| text(bytes)));
        }
        for raw in &self.raw {
            let mut rest = raw.as_slice();
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
                let Some((element, after)) = after.split_at_checked(length) else {
                    break;
                };
                found.push(text(element));
                rest = after;
            }
        }
        found
    }
}

/// One message of the answer of `ModelStreamInfer`.
#[derive(Clone, PartialEq, Message)]
pub struct StreamResponse {
    /// What went wrong with one request; empty if nothing did.
    #[prost(string, tag = "1")]
    pub error: String,
    /// The answer.
    #[prost(message, optional, tag = "2")]
    pub response: Option<InferResponse>,
}

fn text_tensor(name: &str, texts: &[&str]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        datatype: "BYTES".to_owned(),
        shape: vec![i64::try_from(texts.len()).unwrap_or(i64::MAX)],
        contents: Some(Contents {
            bytes: texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
            ..Contents::default()
        }),
        ..Tensor::default()
    }
}
