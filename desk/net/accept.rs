//! Takes the connections of a port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::connection::{self, Shared};
use super::counts::PortCounts;
use super::limits::Limits;
use super::places::{Full, Places};
use super::protocol::Protocol;
use super::source::Source;
use super::tls::Tls;
use crate::seldom::Seldom;
use crate::stop::Stop;

/// How many of TCP's probes may be lost.
const PROBES: u32 = 3;

/// The pause after the system could not hand over a connection: what it lacks, it lacks for a while.
const PAUSE: Duration = Duration::from_millis(100);

/// A port, and what is served there.
pub struct Port {
    /// Its name in logs.
    pub name: &'static str,
    /// Where connections come in.
    pub listener: TcpListener,
    /// What is spoken.
    pub protocol: Protocol,
    /// Who answers.
    pub app: Router,
    /// How many connections there may be, and for how long.
    pub limits: Limits,
    /// The protection of connections, if they have one.
    pub tls: Option<Tls>,
    /// What is counted.
    pub counts: Arc<PortCounts>,
    /// When to stop.
    pub stop: Stop,
}

impl Port {
    /// Serves until the stop is requested, and then until every connection has ended: none is taken any more, and
    /// those that there are end with the requests that are open on them. Dropping this ends them at once.
    pub async fn serve(self) {
        let Self {
            name,
            listener,
            protocol,
            app,
            limits,
            tls,
            counts,
            mut stop,
        } = self;
        let places = Places::new(limits.most, limits.per_address);
        let shared = Arc::new(Shared {
            port: name,
            builder: builder(protocol, limits),
            protocol,
            app,
            limits,
            tls,
            counts,
            handshakes: Seldom::default(),
            stop: stop.clone(),
        });
        let (refusals, failures) = (Seldom::default(), Seldom::default());
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
                () = stop.requested() => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_of_the_peer(&error) => continue,
                Err(error) => {
                    PortCounts::add(&shared.counts.accept_failed);
                    if let Some(times) = failures.again() {
                        tracing::error!(port = name, %error, times, "connections can't be taken");
                    }
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let entered = loop {
                match places.enter(Source::from(peer.ip())) {
                    Err(Full::Leaving) => places.one_has_left().await,
                    entered => break entered,
                }
            };
            let place = match entered {
                Ok((place, gave_way)) => {
                    if gave_way {
                        PortCounts::add(&shared.counts.gave_way);
                    }
                    place
                }
                Err(full) => {
                    refused(name, peer, full, &shared.counts, &refusals);
                    continue;
                }
            };
            // Where the system doesn't know one of these, the connection is as good without it.
            let _ = probe(&stream, limits);
            PortCounts::add(&shared.counts.accepted);
            connections.spawn(connection::serve(Arc::clone(&shared), stream, peer, place));
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }
}

/// Dropping the stream closes it.
fn refused(port: &str, peer: SocketAddr, full: Full, counts: &PortCounts, told: &Seldom) {
    let why = match full {
        Full::Port => {
            PortCounts::add(&counts.refused_full);
            "all connections that there may be are in use"
        }
        Full::Source | Full::Leaving => {
            PortCounts::add(&counts.refused_share);
            "its address has as many as it may have, and all are in use"
        }
    };
    if let Some(times) = told.again() {
        tracing::warn!(port, last = %peer.ip(), why, times, "connections were refused");
    }
}

/// Whether it is only this connection that failed.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Has the system find out when the peer is gone, also while nothing is to be sent.
fn probe(stream: &TcpStream, limits: Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new()
        .with_time(limits.probe)
        .with_interval((limits.silence / PROBES).max(Duration::from_secs(1)))
        .with_retries(PROBES);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(limits.probe.saturating_add(limits.silence)))?;
    Ok(())
}

fn builder(protocol: Protocol, limits: Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.probe)
        .keep_alive_timeout(limits.silence);
    match protocol {
        Protocol::Http => builder,
        Protocol::Grpc => builder.http2_only(),
    }
}
