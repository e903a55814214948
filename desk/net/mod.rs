//! Connections: who gets one, for how long, and with which protection.
//!
//! Both of the desk's ports take their connections here. Each port has its own places, and of those an address
//! has a share ([`Limits`]), so that neither a port nor a peer can take all that the process may have open. A
//! connection with no request on it ends after a while; one with a request, such as a question that waits for a
//! person or an open access log stream, ends only when its peer no longer answers the network.

mod accept;
mod activity;
mod connection;
mod counts;
mod files;
mod limits;
mod places;
mod protocol;
mod source;
mod tls;

pub use accept::Port;
pub use counts::PortCounts;
pub use files::raise as raise_open_files;
pub use limits::Limits;
pub use protocol::Protocol;
pub use source::Source;
pub use tls::{CertifiedNames, Tls, TlsFailure};
