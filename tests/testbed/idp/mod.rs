//! An identity provider double: keys of its own, tokens as a test wants them,
//! discovery and keys over HTTP.

mod alg;
mod keys;
mod many;
mod service;

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::body::Gate;
use crate::lock;
use crate::port::Reserved;
use crate::serve::Server;
use keys::Keys;
use service::Service;

pub use alg::Alg;
pub use many::ManyKeys;
pub use service::{Asked, Fetches};

/// What tokens are for, unless a test says otherwise.
pub const AUDIENCE: &str = "inference";

/// A running identity provider. Dropping it stops it.
#[derive(Debug)]
pub struct Idp {
    port: Reserved,
    service: Arc<Service>,
    server: Mutex<Option<Server>>,
    keys: Mutex<Keys>,
}

impl Idp {
    /// Makes keys and starts to serve them on a free port of the loopback
    /// interface. The RSA keys are the same for all providers of a process; the
    /// others are this one's own.
    ///
    /// # Errors
    /// When a key can't be made, or there is no port.
    pub fn start() -> Result<Self, String> {
        let keys = Keys::generate(1)?;
        let port = Reserved::take()?;
        let authority = format!("127.0.0.1:{}", port.number());
        let service = Service::new(authority, set(&keys.public()));
        let idp = Self {
            port,
            service: Arc::new(service),
            server: Mutex::new(None),
            keys: Mutex::new(keys),
        };
        idp.come_back()?;
        Ok(idp)
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// What it calls itself in tokens.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuer_at("")
    }

    /// An issuer with a path of its own, such as `/realms/x`: everything is also
    /// served below any path.
    #[must_use]
    pub fn issuer_at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }

    /// The keys that it publishes, as a JSON Web Key Set (RFC 7517): its public
    /// ones, unless a test had something else published.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.service.jwks()
    }

    /// Its secrets for [`Alg::SECRET`], as a JSON Web Key Set. They are never
    /// published.
    #[must_use]
    pub fn secrets(&self) -> Value {
        set(&lock(&self.keys).secrets())
    }

    /// The identifier of the key that it signs with.
    #[must_use]
    pub fn kid(&self, alg: Alg) -> String {
        lock(&self.keys).id(alg)
    }

    /// Makes new keys under new identifiers. They are published in place of what
    /// was, and sign from now on.
    ///
    /// # Errors
    /// When a key can't be made.
    pub fn rotate(&self) -> Result<(), String> {
        let public = self.renew()?;
        self.service.publish(set(&public));
        Ok(())
    }

    /// As [`Idp::rotate`], but what was published stays so beside the new keys.
    ///
    /// # Errors
    /// When a key can't be made.
    pub fn rotate_beside(&self) -> Result<(), String> {
        let mut all = self.renew()?;
        let before = self.service.jwks();
        let before = before.get("keys").and_then(Value::as_array);
        all.extend(before.into_iter().flatten().cloned());
        self.service.publish(set(&all));
        Ok(())
    }

    fn renew(&self) -> Result<Vec<Value>, String> {
        let mut keys = lock(&self.keys);
        *keys = keys.next()?;
        Ok(keys.public())
    }

    /// Publishes this in place of its keys, whatever it is.
    pub fn publish(&self, jwks: Value) {
        self.service.publish(jwks);
    }

    /// How often it was asked so far, whatever it answered.
    #[must_use]
    pub fn fetches(&self) -> Fetches {
        self.service.fetches()
    }

    /// What it was asked for so far, in that order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.service.asked()
    }

    /// Answers everything with this status from now on; a redirection (3xx)
    /// leads to where all is well. [`Idp::recover`] ends it.
    pub fn answer_with(&self, status: u16) {
        let status = StatusCode::from_u16(status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.service.answer_with(Some(status));
    }

    /// Has its discovery document name another issuer. [`Idp::recover`] ends it.
    pub fn document_issuer(&self, issuer: &str) {
        self.service.call_itself(Some(issuer.to_owned()));
    }

    /// Has its discovery document say that the keys are there.
    /// [`Idp::recover`] ends it.
    pub fn document_keys(&self, uri: &str) {
        self.service.point_to(Some(uri.to_owned()));
    }

    /// Has all documents written so from now on, with this `content-encoding`, if there is one.
    /// [`Idp::recover`] ends it.
    pub fn write_as(&self, coding: Option<&'static str>, write: fn(&[u8]) -> Vec<u8>) {
        self.service.write_as(coding, write);
    }

    /// Lets each answer wait for a step of the gate from now on.
    /// [`Idp::recover`] ends it for later requests.
    pub fn wait_for(&self, gate: &Gate) {
        self.service.wait_for(Some(gate.clone()));
    }

    /// Answers as it should again.
    pub fn recover(&self) {
        self.service.answer_with(None);
        self.service.call_itself(None);
        self.service.point_to(None);
        self.service.wait_for(None);
        self.service.write_plainly();
    }

    /// Breaks off every connection and refuses new ones.
    pub fn go_away(&self) {
        lock(&self.server).take();
    }

    /// Listens again, where it did before.
    ///
    /// # Errors
    /// When the port can't be listened on.
    pub fn come_back(&self) -> Result<(), String> {
        let mut server = lock(&self.server);
        if server.is_none() {
            let service = Arc::clone(&self.service);
            let started = Server::start("identity provider", self.port(), move |request| {
                let service = Arc::clone(&service);
                async move { service.answer(request).await }
            })?;
            *server = Some(started);
        }
        Ok(())
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
        let header = json!({ "alg": alg.name(), "typ": "JWT", "kid": self.kid(alg) });
        self.token_with(&header, claims, alg)
    }

    /// As [`Idp::token`], with this header, whatever it says.
    #[must_use]
    pub fn token_with(&self, header: &Value, claims: &Value, alg: Alg) -> String {
        let text = signed_text(header, claims);
        let signature = lock(&self.keys).sign(alg, text.as_bytes());
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
        self.foreign(subject, groups, &self.kid(Alg::Es256))
    }

    /// A token without a signature.
    #[must_use]
    pub fn unsigned(&self, subject: &str, groups: &[&str]) -> String {
        self.token(&self.claims(subject, groups), Alg::None)
    }

    fn foreign(&self, subject: &str, groups: &[&str], id: &str) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": id });
        let text = signed_text(&header, &self.claims(subject, groups));
        let signature = lock(&self.keys).sign_as_stranger(text.as_bytes());
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

/// A JSON Web Key Set of these keys.
fn set(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}

#[cfg(test)]
mod tests;
