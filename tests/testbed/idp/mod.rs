//! An identity provider double: keys of its own, tokens as a test wants them,
//! discovery and keys over HTTP.

mod keys;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::body::{Step, Stepped, map};
use crate::serve::Server;
use keys::Keys;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alg {
    /// RSA with 2048 bits, PKCS #1 v1.5 and SHA-256 (RFC 7518, section 3.3).
    Rs256,
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4).
    Es256,
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// Not at all: `"alg": "none"` and an empty signature.
    None,
}

impl Alg {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::None => "none",
        }
    }
}

/// What tokens are for, unless a test says otherwise.
pub const AUDIENCE: &str = "inference";

/// A running identity provider. Dropping it stops it.
#[derive(Debug)]
pub struct Idp {
    server: Server,
    keys: Keys,
}

impl Idp {
    /// Makes keys and starts to serve them on a free port of the loopback
    /// interface. The RSA key is the same for all providers of a process; the
    /// others are this one's own.
    ///
    /// # Errors
    /// When a key can't be made, or there is no port.
    pub fn start() -> Result<Self, String> {
        let keys = Keys::generate()?;
        let jwks = keys.public().to_string();
        let server = Server::start("identity provider", 0, move |request| {
            let host = request.headers().get("host").map(|h| h.as_bytes().to_vec());
            let host = String::from_utf8(host.unwrap_or_default()).unwrap_or_default();
            let answer = served(request.uri().path(), &host, &jwks);
            async move { answer }
        })?;
        Ok(Self { server, keys })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What it calls itself in tokens.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Its public keys, as a JSON Web Key Set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.keys.public()
    }

    /// Claims that are right in every respect: this issuer, [`AUDIENCE`], valid
    /// for an hour from now.
    #[must_use]
    pub fn claims(&self, subject: &str, groups: &[&str]) -> Value {
        json!({
            "iss": self.issuer(),
            "sub": subject,
            "aud": AUDIENCE,
            "groups": groups,
            "iat": now(),
            "nbf": now().saturating_sub(1),
            "exp": now().saturating_add(3600)
        })
    }

    /// A token with these claims, signed with this provider's key for `alg`.
    #[must_use]
    pub fn token(&self, claims: &Value, alg: Alg) -> String {
        let header = json!({ "alg": alg.name(), "typ": "JWT", "kid": keys::id(alg) });
        self.token_with(&header, claims, alg)
    }

    /// As [`Idp::token`], with this header, whatever it says.
    #[must_use]
    pub fn token_with(&self, header: &Value, claims: &Value, alg: Alg) -> String {
        let text = signed_text(header, claims);
        let signature = self.keys.sign(alg, text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token that should be accepted, signed with ES256.
    #[must_use]
    pub fn good(&self, subject: &str, groups: &[&str]) -> String {
        self.token(&self.claims(subject, groups), Alg::Es256)
    }

    /// A token that stopped being valid an hour ago.
    #[must_use]
    pub fn expired(&self, subject: &str, groups: &[&str]) -> String {
        let past = now().saturating_sub(3600);
        let claims = self.claims(subject, groups);
        let claims = with(claims, "nbf", json!(past.saturating_sub(3600)));
        let claims = with(claims, "iat", json!(past.saturating_sub(3600)));
        self.token(&with(claims, "exp", json!(past)), Alg::Es256)
    }

    /// A token that becomes valid in an hour.
    #[must_use]
    pub fn not_yet_valid(&self, subject: &str, groups: &[&str]) -> String {
        let claims = self.claims(subject, groups);
        let claims = with(claims, "nbf", json!(now().saturating_add(3600)));
        let claims = with(claims, "exp", json!(now().saturating_add(7200)));
        self.token(&claims, Alg::Es256)
    }

    /// A token for somebody else.
    #[must_use]
    pub fn wrong_audience(&self, subject: &str, groups: &[&str]) -> String {
        let claims = self.claims(subject, groups);
        self.token(&with(claims, "aud", json!("billing")), Alg::Es256)
    }

    /// A token that another issuer claims to have made, signed with this one's
    /// key.
    #[must_use]
    pub fn wrong_issuer(&self, subject: &str, groups: &[&str]) -> String {
        let claims = self.claims(subject, groups);
        let issuer = json!("https://elsewhere.example.com");
        self.token(&with(claims, "iss", issuer), Alg::Es256)
    }

    /// A token signed with a key that this provider does not publish, under an
    /// identifier of its own.
    #[must_use]
    pub fn unknown_key(&self, subject: &str, groups: &[&str]) -> String {
        self.foreign(subject, groups, "unknown")
    }

    /// A token signed with a key that this provider does not publish, under the
    /// identifier of one that it does.
    #[must_use]
    pub fn forged(&self, subject: &str, groups: &[&str]) -> String {
        self.foreign(subject, groups, keys::id(Alg::Es256))
    }

    /// A token without a signature.
    #[must_use]
    pub fn unsigned(&self, subject: &str, groups: &[&str]) -> String {
        self.token(&self.claims(subject, groups), Alg::None)
    }

    fn foreign(&self, subject: &str, groups: &[&str], id: &str) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": id });
        let text = signed_text(&header, &self.claims(subject, groups));
        let signature = self.keys.sign_as_stranger(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Claims with one of them changed.
#[must_use]
pub fn with(mut claims: Value, name: &str, value: Value) -> Value {
    if let Some(fields) = claims.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    claims
}

/// The time in seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn signed_text(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn served(path: &str, host: &str, jwks: &str) -> hyper::Response<Stepped> {
    let issuer = format!("http://{host}");
    let body = match path {
        "/.well-known/openid-configuration" => json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"]
        })
        .to_string(),
        "/jwks" => jwks.to_owned(),
        _ => String::new(),
    };
    let found = !body.is_empty();
    let mut response = hyper::Response::new(Stepped::new(vec![Step::data(body)]));
    if found {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        *response.headers_mut() = map(&[json]);
    } else {
        *response.status_mut() = hyper::StatusCode::NOT_FOUND;
    }
    response
}

#[cfg(test)]
mod tests;
