//! The ways to sign a token (RFC 7518, section 3.1; RFC 8037).

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alg {
    /// RSA with 2048 bits, PKCS #1 v1.5 and SHA-256.
    Rs256,
    /// As [`Alg::Rs256`], with SHA-384.
    Rs384,
    /// As [`Alg::Rs256`], with SHA-512.
    Rs512,
    /// RSA with 2048 bits, PSS and SHA-256.
    Ps256,
    /// As [`Alg::Ps256`], with SHA-384.
    Ps384,
    /// As [`Alg::Ps256`], with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256, whose key is a secret that is never published.
    Hs256,
    /// As [`Alg::Hs256`], with SHA-384.
    Hs384,
    /// As [`Alg::Hs256`], with SHA-512.
    Hs512,
    /// Not at all: `"alg": "none"` and an empty signature.
    None,
}

impl Alg {
    /// Those that anybody can verify with a published key.
    pub const PUBLIC: [Self; 9] = [
        Self::Rs256,
        Self::Es256,
        Self::EdDsa,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es384,
    ];

    /// Those that take the signer's own secret to verify.
    pub const SECRET: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// Its name in a token's header and in a key.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::None => "none",
        }
    }

    /// What the identifiers of its keys begin with.
    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Rs256 => "rsa",
            Self::Rs384 => "rsa384",
            Self::Rs512 => "rsa512",
            Self::Ps256 => "pss256",
            Self::Ps384 => "pss384",
            Self::Ps512 => "pss512",
            Self::Es256 => "ec",
            Self::Es384 => "ec384",
            Self::EdDsa => "ed",
            Self::Hs256 => "mac256",
            Self::Hs384 => "mac384",
            Self::Hs512 => "mac512",
            Self::None => "none",
        }
    }
}
