//! The few fields of Envoy's access log messages that are read here.
//!
//! A crate of all of Envoy's protobufs is megabytes of generated code, and took four times as
//! long to compile as tonic itself. What isn't named here is skipped when a message is decoded.

use std::collections::HashMap;

use prost::bytes::Bytes;

/// `envoy.service.accesslog.v3.StreamAccessLogsMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamAccessLogsMessage {
    /// The HTTP exchanges.
    #[prost(message, optional, tag = "2")]
    pub http_logs: Option<HttpLogs>,
}

/// `envoy.service.accesslog.v3.StreamAccessLogsMessage.HTTPAccessLogEntries`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HttpLogs {
    /// One for each exchange.
    #[prost(message, repeated, tag = "1")]
    pub log_entry: Vec<HttpAccessLogEntry>,
}

/// `envoy.data.accesslog.v3.HTTPAccessLogEntry`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HttpAccessLogEntry {
    /// What is logged for every protocol.
    #[prost(message, optional, tag = "1")]
    pub common_properties: Option<AccessLogCommon>,
}

/// `envoy.data.accesslog.v3.AccessLogCommon`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AccessLogCommon {
    /// Filter state that Envoy's configuration names in `filter_state_objects_to_log`.
    #[prost(map = "string, message", tag = "21")]
    pub filter_state_objects: HashMap<String, Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Any {
    /// A URL whose last segment is the message type's full name.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The encoded message.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// `google.protobuf.BytesValue`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct BytesValue {
    /// The bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub value: Bytes,
}

/// `envoy.service.accesslog.v3.StreamAccessLogsResponse`, which has no fields.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct StreamAccessLogsResponse {}
