//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tower_service::Service as _;

use super::activity::{Activity, Answering};
use super::counts::PortCounts;
use super::limits::Limits;
use super::places::Place;
use super::protocol::Protocol;
use super::source::Source;
use super::tls::{CertifiedNames, Tls};
use crate::seldom::Seldom;
use crate::stop::Stop;

/// How long a connection that is asked to end may be without a request before it is cut. What has been answered
/// already is mostly with the client by then.
const LEAVING: Duration = Duration::from_secs(5);

/// What the connections of a port share.
pub(super) struct Shared {
    pub(super) port: &'static str,
    pub(super) builder: Builder<TokioExecutor>,
    pub(super) protocol: Protocol,
    pub(super) app: Router,
    pub(super) limits: Limits,
    pub(super) tls: Option<Tls>,
    pub(super) counts: Arc<PortCounts>,
    /// For the log of handshakes that fail.
    pub(super) handshakes: Seldom,
    pub(super) stop: Stop,
}

/// Serves a connection until it ends.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, place: Place) {
    let _counted = Counted::new(&shared.counts);
    let Some(tls) = &shared.tls else {
        return drive(&shared, stream, None, &place).await;
    };
    let mut stop = shared.stop.clone();
    let handshake = tokio::time::timeout(shared.limits.head, tls.accept(stream, shared.protocol));
    let secured = tokio::select! {
        secured = handshake => secured,
        () = place.has_to_leave() => return,
        () = stop.requested() => return,
    };
    let failed = match secured {
        Ok(Ok(None)) => return,
        Ok(Ok(Some((stream, names)))) => return drive(&shared, stream, Some(names), &place).await,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    PortCounts::add(&shared.counts.handshakes_failed);
    if let Some(times) = shared.handshakes.again() {
        let port = shared.port;
        tracing::warn!(port, last = %peer.ip(), why = failed, times, "TLS handshakes failed");
    }
}

async fn drive<S>(shared: &Shared, stream: S, names: Option<CertifiedNames>, place: &Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = Answer {
        app: shared.app.clone(),
        names,
        source: place.source,
        activity: Arc::clone(&place.activity),
    };
    let io = TokioIo::new(stream);
    let mut connection = pin!(shared.builder.serve_connection(io, service));
    let Limits { head, idle, .. } = shared.limits;
    let mut stop = shared.stop.clone();
    let first = tokio::select! {
        // How it ended is nobody's business: clients come and go.
        _ = connection.as_mut() => return,
        () = place.has_to_leave() => return,
        () = place.activity.quiet(head, idle) => true,
        () = stop.requested() => false,
    };
    if first {
        PortCounts::add(&shared.counts.idle);
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = place.has_to_leave() => {}
        () = lingered(&place.activity) => {}
    }
}

/// Ends when no request has been open for as long as a connection that is asked to end may linger.
async fn lingered(activity: &Activity) {
    tokio::time::sleep(LEAVING).await;
    activity.quiet(LEAVING, LEAVING).await;
}

/// Counts a connection as open, until it is dropped.
struct Counted<'a>(&'a PortCounts);

impl<'a> Counted<'a> {
    fn new(counts: &'a PortCounts) -> Self {
        PortCounts::add(&counts.open);
        Self(counts)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        PortCounts::subtract(&self.0.open);
    }
}

/// Answers the requests of a connection.
struct Answer {
    app: Router,
    /// Whom the client's certificate names, for who answers.
    names: Option<CertifiedNames>,
    source: Source,
    activity: Arc<Activity>,
}

impl Service<Request<Incoming>> for Answer {
    type Response = Response<Answering>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let open = self.activity.begin();
        let mut request = request.map(Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(self.source);
        if let Some(names) = &self.names {
            extensions.insert(names.clone());
        }
        // A router is always ready.
        let answer = self.app.clone().call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(response.map(|body| Answering { body, _open: open }))
        })
    }
}
