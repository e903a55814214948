//! An HTTP server on a thread of its own, for the doubles.

use std::convert::Infallible;
use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::body::Stepped;

/// A server for HTTP/1 and for HTTP/2 with prior knowledge, both on one port of
/// the loopback interface. Dropping it ends every connection.
#[derive(Debug)]
pub(crate) struct Server {
    runtime: Option<Runtime>,
    port: u16,
}

impl Server {
    /// Starts a server; `port` 0 takes a free one.
    pub(crate) fn start<H, F>(name: &str, port: u16, handler: H) -> Result<Self, String>
    where
        H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Stepped>> + Send + 'static,
    {
        let said = |error: std::io::Error| format!("{name} cannot be started: {error}");
        let runtime = runtime(name)?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            .map_err(said)?;
        let port = listener.local_addr().map_err(said)?.port();
        runtime.spawn(accept(listener, Arc::new(handler)));
        Ok(Self {
            runtime: Some(runtime),
            port,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

/// A runtime with one thread of its own.
pub(crate) fn runtime(name: &str) -> Result<Runtime, String> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(|error| format!("{name} cannot be started: {error}"))
}

async fn accept<H, F>(listener: TcpListener, handler: Arc<H>)
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Stepped>> + Send + 'static,
{
    loop {
        // A connection that died before it was accepted concerns nobody.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        // Small pieces must leave at once: tests watch them arrive.
        let _ = stream.set_nodelay(true);
        let handler = Arc::clone(&handler);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = handler(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let mut server = auto::Builder::new(TokioExecutor::new());
            server.http1().max_buf_size(1024 * 1024);
            server.http2().max_header_list_size(1024 * 1024);
            // Clients break connections off, and some tests are about that.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
