//! What Envoy's access loggers send.

use std::collections::HashMap;
use std::net::SocketAddr;

use portcullis_desk::sessions::{
    AccessLogCommon, Any, BytesValue, HttpAccessLogEntry, HttpLogs, StreamAccessLogsMessage,
    StreamAccessLogsResponse,
};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::harness::{Desk, EDGE, with};

pub const METHOD: &str = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";
pub const BYTES: &str = "type.googleapis.com/google.protobuf.BytesValue";

/// Streams messages as Envoy does, ends the stream, and waits for the answer.
pub fn stream(to: SocketAddr, messages: Vec<StreamAccessLogsMessage>) -> Result<(), Status> {
    call(to, METHOD, &[EDGE], messages)
}

/// The same with these keys, each in a header of its own.
pub fn call(
    to: SocketAddr,
    method: &'static str,
    keys: &[&str],
    messages: Vec<StreamAccessLogsMessage>,
) -> Result<(), Status> {
    call_by(
        &format!("http://{to}"),
        |endpoint| endpoint,
        method,
        keys,
        messages,
    )
}

/// The same to an address with its scheme, with a change of how it is reached.
pub fn call_by(
    to: &str,
    change: impl FnOnce(Endpoint) -> Endpoint,
    method: &'static str,
    keys: &[&str],
    messages: Vec<StreamAccessLogsMessage>,
) -> Result<(), Status> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let channel = change(Channel::from_shared(to.to_owned()).unwrap())
            .connect()
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let mut grpc = Grpc::new(channel);
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec: ProstCodec<StreamAccessLogsMessage, StreamAccessLogsResponse> =
            ProstCodec::default();
        grpc.client_streaming(
            keyed(tokio_stream::iter(messages), keys),
            PathAndQuery::from_static(method),
            codec,
        )
        .await
        .map(drop)
    })
}

/// A stream that stays open: what is sent through the first goes to the desk, and the second ends with the stream.
pub fn open(
    runtime: &Runtime,
    to: SocketAddr,
    method: &'static str,
) -> (
    mpsc::Sender<StreamAccessLogsMessage>,
    JoinHandle<Result<(), Status>>,
) {
    let channel = Channel::from_shared(format!("http://{to}")).unwrap();
    let channel = runtime.block_on(channel.connect()).unwrap();
    open_on(runtime, channel, method, &[EDGE])
}

/// The same on a connection that there is, with these keys.
pub fn open_on(
    runtime: &Runtime,
    channel: Channel,
    method: &'static str,
    keys: &'static [&str],
) -> (
    mpsc::Sender<StreamAccessLogsMessage>,
    JoinHandle<Result<(), Status>>,
) {
    let (sender, messages) = mpsc::channel(1);
    let answer = runtime.spawn(async move {
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.unwrap();
        let codec: ProstCodec<StreamAccessLogsMessage, StreamAccessLogsResponse> =
            ProstCodec::default();
        let request = keyed(ReceiverStream::new(messages), keys);
        let method = PathAndQuery::from_static(method);
        let answer = grpc.client_streaming(request, method, codec).await;
        answer.map(drop)
    });
    (sender, answer)
}

/// A request as Envoy makes it with such `initial_metadata`.
pub fn keyed<T>(messages: T, keys: &[&str]) -> Request<T> {
    let mut request = Request::new(messages);
    for key in keys {
        let value = format!("Bearer {key}").parse().unwrap();
        request.metadata_mut().append("authorization", value);
    }
    request
}

pub fn record(number: u64, changes: Value) -> Value {
    with(
        json!({
            "version": 1,
            "id": format!("{number:032x}"),
            "worker": "00000000000000aa",
            "number": number,
            "time": "2026-11-21T12:00:00.123Z",
            "identity": { "provider": "corp", "issuer": "https://idp", "subject": "carol", "groups": [] },
            "request": { "method": "POST", "path": "/v1/chat/completions", "operation": "inference.chat", "model": "m", "items": 1, "bytes": 2 },
            "verdict": { "action": "allow", "rule": "r", "code": null, "status": null },
            "a_later_member": { "kept": [1, 2.50, "é"] },
        }),
        changes,
    )
}

pub fn entry_of(type_url: &str, value: Vec<u8>) -> HttpAccessLogEntry {
    let state = Any {
        type_url: type_url.to_owned(),
        value: value.into(),
    };
    HttpAccessLogEntry {
        common_properties: Some(AccessLogCommon {
            filter_state_objects: HashMap::from([("wasm.portcullis.session".to_owned(), state)]),
        }),
    }
}

pub fn entry(bytes: &[u8]) -> HttpAccessLogEntry {
    let wrapped = BytesValue {
        value: bytes.to_vec().into(),
    };
    entry_of(BYTES, wrapped.encode_to_vec())
}

pub fn message(log_entry: Vec<HttpAccessLogEntry>) -> StreamAccessLogsMessage {
    StreamAccessLogsMessage {
        http_logs: Some(HttpLogs { log_entry }),
    }
}

pub fn records(desk: &Desk, expected: u64) -> Value {
    desk.until("/healthz", |health| {
        health["records"]["stored"].as_u64().unwrap() >= expected
    })["records"]
        .clone()
}
