//! Why a request has no identity.

use base::code::Code;

/// A reason to refuse a request before any rule is tried.
///
/// The code goes to the caller and into the record; it says which check failed and nothing
/// about the keys or the values that were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the places that the policy names held a token.
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
    /// The signature does not verify.
    SignatureInvalid,
    /// `exp` has passed, or is missing.
    TokenExpired,
    /// `nbf` or `iat` lies ahead.
    TokenNotYetValid,
    /// The token lives longer than the policy accepts.
    LifetimeTooLong,
    /// The token is for somebody else.
    AudienceMismatch,
    /// The token is of a type that the policy does not accept.
    TypeNotAccepted,
    /// The token was issued to a client that the policy does not accept.
    ClientNotAccepted,
    /// The claim that names the subject is missing or not a string.
    SubjectMissing,
    /// The groups are not in the token but kept at the provider.
    GroupsOverage,
    /// The provider's keys could not be fetched: nothing is wrong with the token.
    KeysUnavailable,
}

impl Refusal {
    /// The code in `WWW-Authenticate`, the error's body and the record.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::TokenMissing => Code::TokenMissing,
            Self::SeveralTokens => Code::SeveralTokens,
            Self::TokenMalformed => Code::TokenMalformed,
            Self::HeaderNotSupported => Code::TokenHeaderNotSupported,
            Self::UnknownIssuer => Code::UnknownIssuer,
            Self::AlgorithmNotAllowed => Code::AlgorithmNotAllowed,
            Self::UnknownKey => Code::UnknownKey,
            Self::SignatureInvalid => Code::SignatureInvalid,
            Self::TokenExpired => Code::TokenExpired,
            Self::TokenNotYetValid => Code::TokenNotYetValid,
            Self::LifetimeTooLong => Code::TokenLifetimeTooLong,
            Self::AudienceMismatch => Code::AudienceMismatch,
            Self::TypeNotAccepted => Code::TokenTypeNotAccepted,
            Self::ClientNotAccepted => Code::ClientNotAccepted,
            Self::SubjectMissing => Code::SubjectMissing,
            Self::GroupsOverage => Code::GroupsOverage,
            Self::KeysUnavailable => Code::KeysUnavailable,
        }
    }

    /// The HTTP status: 400 for a request that contradicts itself, 503 where the provider is away,
    /// 401 for all others (RFC 6750, section 3.1).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::SeveralTokens => 400,
            Self::KeysUnavailable => 503,
            _ => 401,
        }
    }

    /// The `WWW-Authenticate` challenge (RFC 6750, section 3); sent with 400 and 401 only. A
    /// request without a token is told no error, as the RFC asks.
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
            Self::TypeNotAccepted => "The access token is of a type that is not accepted.",
            Self::ClientNotAccepted => "The access token's client is not accepted.",
            Self::SubjectMissing => "The access token names no subject.",
            Self::GroupsOverage => "The access token does not hold its subject's groups.",
            Self::KeysUnavailable => "The access token can't be verified now.",
        }
    }
}
