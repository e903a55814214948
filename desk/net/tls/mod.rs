//! TLS on both ports, and mTLS (RFC 8446, RFC 5246).

mod certificate;
mod failure;
mod handle;
mod material;
mod plain;
mod reload;

pub use certificate::CertifiedNames;
pub use failure::TlsFailure;
pub use handle::Tls;
