//! A blocking HTTP client that shows what ordinary clients hide: one connection
//! and its reuse, every piece of a body as it arrives, trailers, broken streams.

mod client;
mod message;
pub mod raw;

pub use client::{Client, Pending, Stream};
pub use message::{Request, Response};
pub(crate) use message::{find, list};

/// Sends a GET on an HTTP/1 connection of its own.
///
/// # Errors
/// When there is no whole answer.
pub fn get(port: u16, path: &str) -> Result<Response, String> {
    send(port, Request::get(path))
}

/// Sends a request on an HTTP/1 connection of its own.
///
/// # Errors
/// When there is no answer. An answer that breaks off is not an error here:
/// [`Response::broken`] says so.
pub fn send(port: u16, request: Request) -> Result<Response, String> {
    Client::http1(port)?.send(request)
}
