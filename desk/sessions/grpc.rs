//! Envoy's access log service (`envoy.service.accesslog.v3.AccessLogService`).

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Context, Poll, Service, http};
use tonic::server::{ClientStreamingService, Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::counts::Counts;
use super::messages::{StreamAccessLogsMessage, StreamAccessLogsResponse};
use super::peer::Admitted;
use super::peers::Peers;
use super::record::Entry;
use super::room::Measured;
use super::standing::Sender;
use super::writer::{Stored, Writer};
use crate::http::Credentials;
use crate::seldom::Seldom;
use crate::stop::Stop;

/// The largest message that is decoded, in bytes. A record is never split over messages.
const MAX_MESSAGE_BYTES: usize = 32 << 20;

/// Receives access log streams.
#[derive(Clone)]
pub struct Recorder {
    writer: Writer,
    counts: Arc<Counts>,
    stop: Stop,
    peers: Peers,
    /// How long a stream may take to its first message.
    patience: Duration,
}

impl Recorder {
    /// A recorder that hands records of these peers to `writer` until `stop` is requested. A stream whose first
    /// message takes longer than `patience` is ended: Envoy opens one when it has something to say. After that
    /// it may be silent for as long as it likes.
    #[must_use]
    pub fn new(
        writer: Writer,
        counts: Arc<Counts>,
        peers: Peers,
        patience: Duration,
        stop: Stop,
    ) -> Self {
        Self {
            writer,
            counts,
            stop,
            peers,
            patience,
        }
    }

    async fn receive(
        mut self,
        from: Sender,
        mut stream: Streaming<StreamAccessLogsMessage>,
    ) -> Result<Response<StreamAccessLogsResponse>, Status> {
        let mut last = None;
        let mut patience = Some(self.patience);
        loop {
            let late = async {
                match patience {
                    Some(patience) => tokio::time::sleep(patience).await,
                    None => std::future::pending().await,
                }
            };
            let message = tokio::select! {
                message = stream.message() => message?,
                () = self.stop.requested() => None,
                () = late => {
                    return Err(Status::deadline_exceeded("the first message did not come in time"));
                }
            };
            patience = None;
            let failed = || Status::unavailable("nothing can be stored");
            let Some(message) = message else {
                // Batches are stored in order, so the last one speaks for all.
                if let Some(stored) = last {
                    let stored: oneshot::Receiver<Stored> = stored;
                    stored.await.map_err(|_| failed())?;
                }
                return Ok(Response::new(StreamAccessLogsResponse {}));
            };
            let entries = self.entries(message);
            if !entries.is_empty() {
                last = Some(
                    self.writer
                        .put(from.clone(), entries)
                        .await
                        .map_err(|_| failed())?,
                );
            }
        }
    }

    fn entries(&self, message: StreamAccessLogsMessage) -> Vec<Entry> {
        let logged = message.http_logs.map(|logs| logs.log_entry);
        let mut entries = Vec::new();
        let mut malformed = 0u64;
        let mut reason = None;
        for one in logged.into_iter().flatten() {
            match Entry::take(one) {
                Some(Ok(entry)) => entries.push(entry),
                Some(Err(why)) => {
                    malformed = malformed.saturating_add(1);
                    reason.get_or_insert(why);
                }
                None => {
                    self.counts.absent.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        if let Some(reason) = reason {
            self.counts
                .malformed
                .fetch_add(malformed, Ordering::Relaxed);
            static MALFORMED: Seldom = Seldom::new();
            if let Some(times) = MALFORMED.again() {
                tracing::warn!(malformed, times, first = %reason, "malformed session records were left out");
            }
        }
        entries
    }
}

impl NamedService for Recorder {
    const NAME: &'static str = "envoy.service.accesslog.v3.AccessLogService";
}

impl Service<http::Request<Body>> for Recorder {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let recorder = self.clone();
        Box::pin(async move {
            let method = request.uri().path().rsplit('/').next();
            if method != Some("StreamAccessLogs") {
                return Ok(Status::unimplemented("there is only StreamAccessLogs").into_http());
            }
            let (from, admitted) = match recorder.peers.admit(&Credentials::of(&request)) {
                Ok(admitted) => admitted,
                Err(status) => {
                    recorder.counts.refuse(status.message());
                    return Ok(status.into_http());
                }
            };
            let codec: ProstCodec<StreamAccessLogsResponse, StreamAccessLogsMessage> =
                ProstCodec::default();
            let mut grpc = Grpc::new(codec).max_decoding_message_size(MAX_MESSAGE_BYTES);
            let (room, patience) = (Arc::clone(&admitted.room), recorder.patience);
            let request = request
                .map(|body| Body::new(Measured::new(body, room, patience, MAX_MESSAGE_BYTES)));
            let stream = Stream {
                recorder,
                from,
                _admitted: admitted,
            };
            Ok(grpc.client_streaming(stream, request).await)
        })
    }
}

/// `StreamAccessLogs`, the service's only method.
struct Stream {
    recorder: Recorder,
    from: Sender,
    /// Held as long as the stream is open.
    _admitted: Admitted,
}

impl ClientStreamingService<StreamAccessLogsMessage> for Stream {
    type Response = StreamAccessLogsResponse;
    type Future = BoxFuture<Response<StreamAccessLogsResponse>, Status>;

    fn call(&mut self, request: Request<Streaming<StreamAccessLogsMessage>>) -> Self::Future {
        let recorder = self.recorder.clone();
        Box::pin(recorder.receive(self.from.clone(), request.into_inner()))
    }
}
