//! Why there can be no TLS.

use std::fmt;

/// Why there can be no TLS, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFailure(pub(super) String);

impl fmt::Display for TlsFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for TlsFailure {}
