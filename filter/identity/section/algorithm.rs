//! Signature algorithms by their names in tokens.

use base::policy::{Form, Node};

/// Signature algorithms that a policy can name (RFC 7518, section 3; RFC 8037, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// All of them, by the name that a token's header gives them. The symmetric ones are last.
    pub const NAMES: [(&'static str, Self); 12] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
        ("HS256", Self::Hs256),
        ("HS384", Self::Hs384),
        ("HS512", Self::Hs512),
    ];

    /// The algorithm of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, algorithm)| *algorithm)
    }

    /// The name in a token's header.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, one)| *one == self)
            .map_or("", |(name, _)| name)
    }

    /// Whether whoever can verify with the key can also sign with it.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// What a provider's tokens may be signed with unless the policy says otherwise: all but the
    /// symmetric ones.
    pub(super) fn usual() -> Vec<Self> {
        Self::NAMES
            .iter()
            .map(|(_, one)| *one)
            .filter(|one| !one.is_symmetric())
            .collect()
    }
}

/// A list of algorithms, in the order of [`Algorithm::NAMES`].
pub(super) static ALGORITHMS: Form = Form::list(&ALGORITHM);
static ALGORITHM: Form = Form::names(&[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256",
    "HS384", "HS512",
]);

pub(super) fn read(node: &Node<'_>) -> Vec<Algorithm> {
    let items = node.items();
    let places = items.iter().filter_map(Node::name);
    places
        .filter_map(|place| Algorithm::NAMES.get(place).map(|(_, one)| *one))
        .collect()
}
