//! Who is calling, as all concerns know it.

use core::time::Duration;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::bytes::hex;

/// Whether a token stands for a person or for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody who logged in.
    Person,
    /// A program with a credential of its own.
    Service,
}

impl Kind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Person, Self::Service];

    /// The name in conditions, headers and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }
}

/// A caller whose token was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's name in the policy.
    pub provider: String,
    /// The provider's issuer in the policy.
    pub issuer: String,
    /// Who it is, unique within the provider.
    pub subject: String,
    /// Whether it is a person or a program.
    pub kind: Kind,
    /// The client that the token was issued to, where the token says so.
    pub client: Option<String>,
    /// What stands for the token's id, where it has one (RFC 7519, section 4.1.7): its [`token_digest`].
    pub token: Option<String>,
    /// Groups, as the provider lists them.
    pub groups: Vec<String>,
    /// The e-mail address, where the token has one and doesn't say that it is unverified.
    pub email: Option<String>,
    /// From when on the token may be used no more, since 1970.
    pub expires: Duration,
    /// Claims that the policy names.
    pub claims: BTreeMap<String, Vec<String>>,
}

/// What stands for a token's id: the first 16 bytes of its SHA-256, in hex. It finds what was done with a
/// token, and shows nothing of it.
#[must_use]
pub fn token_digest(id: &str) -> String {
    let digest = Sha256::digest(id);
    hex(digest.get(..16).unwrap_or_default())
}
