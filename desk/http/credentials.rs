//! By what a sender can be known: the key that it sends, the names that its certificate has, and from where it
//! comes.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Request, header};

use crate::net::{CertifiedNames, Source};

/// What a request says of its sender.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The values of `authorization`: of more than two, two.
    authorization: Vec<HeaderValue>,
    certified: CertifiedNames,
    source: Option<Source>,
}

impl Credentials {
    /// Those of a request.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Self {
        Self::read(request.headers(), request.extensions())
    }

    fn read(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let values = headers.get_all(header::AUTHORIZATION).iter();
        let certified = extensions.get::<CertifiedNames>();
        Self {
            authorization: values.take(2).cloned().collect(),
            certified: certified.cloned().unwrap_or_default(),
            source: extensions.get::<Source>().copied(),
        }
    }

    /// Whether something is sent that should be a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        !self.authorization.is_empty()
    }

    /// The bearer key, if there is exactly one.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        match self.authorization.as_slice() {
            [value] => bearer(value.as_bytes()),
            _ => None,
        }
    }

    /// From where it comes, if that is known.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.source
    }

    /// The names that the certificate has.
    pub fn certified(&self) -> impl Iterator<Item = &str> {
        self.certified.iter()
    }
}

impl<S: Sync> FromRequestParts<S> for Credentials {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers, &parts.extensions))
    }
}

/// The key of `Bearer <key>`; the scheme's case doesn't matter (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(rest)
}
