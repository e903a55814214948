//! One connection, and what is sent over it.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::message::{Request, Response, list};
use crate::body::Stepped;
use crate::{lock, serve};

/// How long any one step of an exchange may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with one connection to a port of the loopback interface. Requests
/// that follow one another reuse it; over HTTP/2 they may also overlap.
#[derive(Debug, Clone)]
pub struct Client {
    runtime: Arc<Runtime>,
    sender: Sender,
    port: u16,
}

#[derive(Debug, Clone)]
enum Sender {
    One(Arc<Mutex<http1::SendRequest<Stepped>>>),
    Two(http2::SendRequest<Stepped>),
}

impl Client {
    /// Connects with HTTP/1.1.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn http1(port: u16) -> Result<Self, String> {
        let runtime = Arc::new(serve::runtime("client")?);
        let sender = runtime.block_on(async {
            let io = TokioIo::new(connect(port).await?);
            let (sender, connection) = http1::Builder::new()
                .handshake(io)
                .await
                .map_err(|e| shown(&e))?;
            tokio::spawn(connection);
            Ok::<_, String>(sender)
        })?;
        Ok(Self {
            runtime,
            sender: Sender::One(Arc::new(Mutex::new(sender))),
            port,
        })
    }

    /// Connects with HTTP/2, known beforehand to be spoken there.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn http2(port: u16) -> Result<Self, String> {
        let runtime = Arc::new(serve::runtime("client")?);
        let sender = runtime.block_on(async {
            let io = TokioIo::new(connect(port).await?);
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .max_header_list_size(1024 * 1024)
                .handshake(io)
                .await
                .map_err(|e| shown(&e))?;
            tokio::spawn(connection);
            Ok::<_, String>(sender)
        })?;
        Ok(Self {
            runtime,
            sender: Sender::Two(sender),
            port,
        })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer; one that breaks off is none
    /// ([`Response::broken`]).
    pub fn send(&self, request: Request) -> Result<Response, String> {
        Ok(self.open(request)?.read())
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn open(&self, request: Request) -> Result<Stream, String> {
        self.start(request)?.response()
    }

    /// Sends a request and waits for nothing. Dropping what it gives is how a
    /// client leaves.
    ///
    /// # Errors
    /// When the request cannot be written in HTTP, or the connection was closed.
    pub fn start(&self, request: Request) -> Result<Pending, String> {
        let _inside = self.runtime.enter();
        let two = matches!(self.sender, Sender::Two(_));
        let built = build(request, self.port, two)?;
        let answer = match &self.sender {
            Sender::One(sender) => {
                let mut sender = lock(sender);
                self.wait(sender.ready())?.map_err(|e| shown(&e))?;
                let sent = sender.send_request(built);
                self.runtime.spawn(sent)
            }
            Sender::Two(sender) => {
                let mut sender = sender.clone();
                self.wait(sender.ready())?.map_err(|e| shown(&e))?;
                self.runtime
                    .spawn(async move { sender.send_request(built).await })
            }
        };
        Ok(Pending {
            client: self.clone(),
            answer,
        })
    }

    fn wait<F: Future>(&self, future: F) -> Result<F::Output, String> {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, future).await })
            .map_err(|_| format!("nothing came from port {} within {PATIENCE:?}", self.port))
    }
}

/// A request that was sent and not answered yet.
#[derive(Debug)]
pub struct Pending {
    client: Client,
    answer: JoinHandle<hyper::Result<hyper::Response<Incoming>>>,
}

impl Pending {
    /// Whether the head of the answer is there.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.answer.is_finished()
    }

    /// Waits for the head of the answer.
    ///
    /// # Errors
    /// When the connection ends without one.
    pub fn response(mut self) -> Result<Stream, String> {
        let client = self.client.clone();
        let response = client
            .wait(&mut self.answer)?
            .map_err(|error| error.to_string())?
            .map_err(|error| shown(&error))?;
        let (head, body) = response.into_parts();
        Ok(Stream {
            status: head.status.as_u16(),
            headers: list(&head.headers),
            trailers: Vec::new(),
            client,
            body,
            text: Vec::new(),
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

/// An answer whose body is read piece by piece. Dropping it before its end
/// breaks the answer off.
#[derive(Debug)]
pub struct Stream {
    /// The status code.
    pub status: u16,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The trailers, once the body was read to its end.
    pub trailers: Vec<(String, Vec<u8>)>,
    client: Client,
    body: Incoming,
    text: Vec<u8>,
}

impl Stream {
    /// The next piece of the body, as it arrived; `None` at its end.
    ///
    /// # Errors
    /// When the body breaks off.
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            let frame = match self.client.wait(self.body.frame())? {
                None => return Ok(None),
                Some(Err(error)) => return Err(shown(&error)),
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(Some(bytes)),
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.trailers.extend(list(&trailers));
                    }
                }
            }
        }
    }

    /// The next event of an event stream, without the blank line that ends it;
    /// `None` at the end of the body. What follows the last blank line is an
    /// event too.
    ///
    /// # Errors
    /// When the body breaks off.
    pub fn next_event(&mut self) -> Result<Option<String>, String> {
        loop {
            if let Some(at) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let rest = self.text.split_off(at.saturating_add(2));
                let event = std::mem::replace(&mut self.text, rest);
                return Ok(Some(String::from_utf8_lossy(&event).trim_end().to_owned()));
            }
            match self.next_piece()? {
                Some(piece) => self.text.extend_from_slice(&piece),
                None if self.text.is_empty() => return Ok(None),
                None => {
                    let event = std::mem::take(&mut self.text);
                    return Ok(Some(String::from_utf8_lossy(&event).into_owned()));
                }
            }
        }
    }

    /// Reads what is left of the body.
    #[must_use]
    pub fn read(mut self) -> Response {
        let mut body = std::mem::take(&mut self.text);
        let broken = loop {
            match self.next_piece() {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break None,
                Err(why) => break Some(why),
            }
        };
        Response {
            status: self.status,
            headers: self.headers,
            body,
            trailers: self.trailers,
            broken,
        }
    }
}

async fn connect(port: u16) -> Result<TcpStream, String> {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| format!("port {port} does not answer: {error}"))?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    Ok(stream)
}

fn build(request: Request, port: u16, two: bool) -> Result<hyper::Request<Stepped>, String> {
    let Request {
        method,
        path,
        headers,
        body,
    } = request;
    let bad = |what: &str| format!("{method} {path}: {what} is not possible in HTTP");
    let authority = format!("127.0.0.1:{port}");
    let uri = match two {
        true => format!("http://{authority}{path}"),
        false => path.clone(),
    };
    let mut built = hyper::Request::new(Stepped::new(body));
    *built.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| bad("the method"))?;
    *built.uri_mut() = uri.parse::<Uri>().map_err(|_| bad("the path"))?;
    for (name, value) in &headers {
        let value = HeaderValue::from_bytes(value).map_err(|_| bad(name))?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(name))?;
        built.headers_mut().append(name, value);
    }
    if !two && !built.headers().contains_key(HOST) {
        let host = HeaderValue::from_str(&authority).map_err(|_| bad("the host"))?;
        built.headers_mut().insert(HOST, host);
    }
    Ok(built)
}

/// hyper keeps the reason behind its own words.
fn shown(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
