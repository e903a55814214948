//! What the provider serves, and what a test has it do instead.

use std::sync::Mutex;

use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::body::{Gate, Step, Stepped, map};
use crate::lock;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/jwks";

/// How often the provider was asked, whatever it answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetches {
    /// For its discovery document.
    pub discovery: usize,
    /// For its keys.
    pub jwks: usize,
}

#[derive(Debug)]
pub(super) struct Service(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The authority in its addresses. Requests for another are misdirected.
    authority: String,
    jwks: Value,
    fetches: Fetches,
    status: Option<StatusCode>,
    issuer: Option<String>,
    gate: Option<Gate>,
}

impl Service {
    pub(super) fn new(authority: String, jwks: Value) -> Self {
        Self(Mutex::new(State {
            authority,
            jwks,
            fetches: Fetches::default(),
            status: None,
            issuer: None,
            gate: None,
        }))
    }

    pub(super) fn jwks(&self) -> Value {
        lock(&self.0).jwks.clone()
    }

    pub(super) fn publish(&self, jwks: Value) {
        lock(&self.0).jwks = jwks;
    }

    pub(super) fn fetches(&self) -> Fetches {
        lock(&self.0).fetches
    }

    pub(super) fn answer_with(&self, status: Option<StatusCode>) {
        lock(&self.0).status = status;
    }

    pub(super) fn call_itself(&self, issuer: Option<String>) {
        lock(&self.0).issuer = issuer;
    }

    pub(super) fn wait_for(&self, gate: Option<Gate>) {
        lock(&self.0).gate = gate;
    }

    pub(super) async fn answer(&self, path: &str, authority: &str) -> Response<Stepped> {
        if let Some(gate) = self.count(path) {
            gate.pass().await;
        }
        let (status, body) = self.said(path, authority);
        let mut response = Response::new(Stepped::new(vec![Step::data(body)]));
        *response.status_mut() = status;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if status.is_redirection() {
            headers.push(("location".to_owned(), format!("/moved{path}")));
        }
        *response.headers_mut() = map(&headers);
        response
    }

    /// Counts a request, and gives what it must wait for.
    fn count(&self, path: &str) -> Option<Gate> {
        let mut state = lock(&self.0);
        let fetches = &mut state.fetches;
        if path.ends_with(DISCOVERY) {
            fetches.discovery = fetches.discovery.saturating_add(1);
        } else if path.ends_with(KEYS) {
            fetches.jwks = fetches.jwks.saturating_add(1);
        }
        state.gate.clone()
    }

    fn said(&self, path: &str, authority: &str) -> (StatusCode, String) {
        let state = lock(&self.0);
        if authority != state.authority {
            return (StatusCode::MISDIRECTED_REQUEST, String::new());
        }
        if let Some(status) = state.status {
            return (status, "{}".to_owned());
        }
        if let Some(tenant) = path.strip_suffix(DISCOVERY) {
            let own = format!("http://{authority}{tenant}");
            let document = json!({
                "issuer": state.issuer.as_ref().unwrap_or(&own),
                "jwks_uri": format!("{own}{KEYS}"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"]
            });
            (StatusCode::OK, document.to_string())
        } else if path.ends_with(KEYS) {
            (StatusCode::OK, state.jwks.to_string())
        } else {
            (StatusCode::NOT_FOUND, String::new())
        }
    }
}
