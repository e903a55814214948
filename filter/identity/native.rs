//! Signature verification that the host lends.

use crate::identity::section::Algorithm;

/// Verifies signatures natively, where it can.
pub trait Native {
    /// Whether `signature` is over `message` by the key whose DER SubjectPublicKeyInfo (RFC 5280,
    /// section 4.1) is `key`. An ECDSA signature comes as DER (RFC 3279, section 2.2.3).
    ///
    /// `None` where the host does not cover the algorithm: the filter then verifies by itself.
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool>;
}

/// A host that covers nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoNative;

impl Native for NoNative {
    fn verify(&self, _: Algorithm, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
}
