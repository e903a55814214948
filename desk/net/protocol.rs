//! What is spoken at a port.

/// What is spoken at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 or HTTP/2, as the client likes.
    Http,
    /// HTTP/2 only.
    Grpc,
}
