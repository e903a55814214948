//! Why a request has no identity.

/// A reason to refuse a request before any rule is tried.
///
/// The code goes to the caller and into the record; it says which check failed and nothing
/// about the keys or the values that were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No place of the policy held a token.
    TokenMissing,
    /// More than one token came with the request.
    SeveralTokens,
    /// Not a compact JWS with a JSON header and JSON claims (RFC 7515, RFC 7519).
    TokenMalformed,
    /// A header parameter that would change how the token is read (`crit`, `b64`, embedded keys).
    HeaderNotSupported,
    /// No provider has this issuer.
    UnknownIssuer,
    /// The policy does not accept the token's algorithm from this provider.
    AlgorithmNotAllowed,
    /// No key of the provider fits the token.
    UnknownKey,
    /// The signature is not the key's.
    SignatureInvalid,
    /// `exp` has passed, or is missing.
    TokenExpired,
    /// `nbf` or `iat` lies ahead.
    TokenNotYetValid,
    /// The token lives longer than the policy accepts.
    LifetimeTooLong,
    /// The token is for somebody else.
    AudienceMismatch,
    /// The claim that names the subject is missing or not a string.
    SubjectMissing,
}

impl Refusal {
    /// The code in `WWW-Authenticate`, the error's body and the record.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::SeveralTokens => "several_tokens",
            Self::TokenMalformed => "token_malformed",
            Self::HeaderNotSupported => "token_header_not_supported",
            Self::UnknownIssuer => "unknown_issuer",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::UnknownKey => "unknown_key",
            Self::SignatureInvalid => "signature_invalid",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYetValid => "token_not_yet_valid",
            Self::LifetimeTooLong => "token_lifetime_too_long",
            Self::AudienceMismatch => "audience_mismatch",
            Self::SubjectMissing => "subject_missing",
        }
    }

    /// The HTTP status: 400 for a request that contradicts itself, 401 for all others
    /// (RFC 6750, section 3.1).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::SeveralTokens => 400,
            _ => 401,
        }
    }

    /// The `WWW-Authenticate` challenge (RFC 6750, section 3). A request without a token is
    /// told no error, as the RFC asks.
    #[must_use]
    pub fn challenge(self) -> String {
        match self {
            Self::TokenMissing => "Bearer realm=\"portcullis\"".to_owned(),
            Self::SeveralTokens => format!(
                "Bearer realm=\"portcullis\", error=\"invalid_request\", error_description=\"{}\"",
                self.code()
            ),
            _ => format!(
                "Bearer realm=\"portcullis\", error=\"invalid_token\", error_description=\"{}\"",
                self.code()
            ),
        }
    }

    /// One sentence for the caller.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::TokenMissing => "The request has no access token.",
            Self::SeveralTokens => "The request has more than one access token.",
            Self::TokenMalformed => "The access token is not a signed JSON Web Token.",
            Self::HeaderNotSupported => "The access token's header is not supported.",
            Self::UnknownIssuer => "The access token's issuer is not trusted here.",
            Self::AlgorithmNotAllowed => "The access token's algorithm is not accepted.",
            Self::UnknownKey => "The access token was signed with an unknown key.",
            Self::SignatureInvalid => "The access token's signature is not valid.",
            Self::TokenExpired => "The access token has expired.",
            Self::TokenNotYetValid => "The access token is not valid yet.",
            Self::LifetimeTooLong => "The access token is valid for longer than is accepted.",
            Self::AudienceMismatch => "The access token is for another audience.",
            Self::SubjectMissing => "The access token names no subject.",
        }
    }
}
