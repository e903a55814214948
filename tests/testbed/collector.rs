//! A double of an OpenTelemetry collector: it takes logs over OTLP/gRPC, and writes them as the
//! collector's file exporter does.

use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::logs::v1::LogsData;

use crate::body::{Step, Stepped, map};
use crate::grpc::{framed, unframed};
use crate::lock;
use crate::serve::Server;

/// The method that it has.
const EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// A running collector. Dropping it stops it.
#[derive(Debug)]
pub struct Collector {
    server: Server,
    received: Arc<Mutex<Vec<LogsData>>>,
}

impl Collector {
    /// Starts one on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> Result<Self, String> {
        let received = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&received);
        let server = Server::start("collector", 0, move |request| {
            take(Arc::clone(&shared), request)
        })?;
        Ok(Self { server, received })
    }

    /// Where it listens, for HTTP/2.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The bodies of the log records that came so far. A body that is no text is left out.
    #[must_use]
    pub fn bodies(&self) -> Vec<String> {
        let received = lock(&self.received);
        let resources = received.iter().flat_map(|logs| &logs.resource_logs);
        let scopes = resources.flat_map(|resource| &resource.scope_logs);
        let records = scopes.flat_map(|scope| &scope.log_records);
        let values = records.filter_map(|record| record.body.as_ref()?.value.as_ref());
        values
            .filter_map(|value| match value {
                any_value::Value::StringValue(text) => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    /// All that came so far as the file exporter writes it: a line of OTLP's JSON for each request.
    ///
    /// # Errors
    /// When something can't be written as JSON.
    pub fn file(&self) -> Result<String, String> {
        let mut lines = String::new();
        for logs in lock(&self.received).iter() {
            lines.push_str(&serde_json::to_string(logs).map_err(|error| error.to_string())?);
            lines.push('\n');
        }
        Ok(lines)
    }
}

async fn take(
    received: Arc<Mutex<Vec<LogsData>>>,
    request: Request<Incoming>,
) -> Response<Stepped> {
    let known = request.uri().path() == EXPORT;
    let body: Result<_, hyper::Error> = request.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let message = body.ok().filter(|_| known).and_then(|bytes| {
        let (message, rest) = unframed::<ExportLogsServiceRequest>(&bytes)?;
        rest.is_empty().then_some(message)
    });
    let status = match message {
        Some(message) => {
            lock(&received).push(LogsData {
                resource_logs: message.resource_logs,
            });
            0
        }
        // Unimplemented, or an invalid argument.
        None if !known => 12,
        None => 3,
    };
    let mut response = Response::new(Stepped::new(vec![
        Step::data(framed(&ExportLogsServiceResponse::default())),
        Step::Trailers(vec![("grpc-status".to_owned(), status.to_string())]),
    ]));
    *response.headers_mut() = map(&[("content-type".to_owned(), "application/grpc")]);
    response
}
