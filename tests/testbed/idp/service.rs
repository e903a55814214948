//! What the provider serves, and what a test has it do instead.

use std::sync::Mutex;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::body::{Gate, Step, Stepped, map};
use crate::lock;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/jwks";

/// What somebody asked the provider for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The path, with the query if there was one.
    pub target: String,
    /// The `authorization` header, if there was one.
    pub credential: Option<String>,
}

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
    asked: Vec<Asked>,
    status: Option<StatusCode>,
    issuer: Option<String>,
    keys_at: Option<String>,
    form: Option<Form>,
    gate: Option<Gate>,
}

/// Writes a document as it is sent.
type Write = fn(&[u8]) -> Vec<u8>;

/// How documents are written: the `content-encoding` that is told, and what makes it.
#[derive(Debug, Clone, Copy)]
struct Form(Option<&'static str>, Write);

impl Service {
    pub(super) fn new(authority: String, jwks: Value) -> Self {
        Self(Mutex::new(State {
            authority,
            jwks,
            asked: Vec::new(),
            status: None,
            issuer: None,
            keys_at: None,
            form: None,
            gate: None,
        }))
    }

    pub(super) fn jwks(&self) -> Value {
        lock(&self.0).jwks.clone()
    }

    pub(super) fn publish(&self, jwks: Value) {
        lock(&self.0).jwks = jwks;
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        lock(&self.0).asked.clone()
    }

    pub(super) fn fetches(&self) -> Fetches {
        let state = lock(&self.0);
        let count = |end: &str| {
            let paths = state.asked.iter().map(|asked| path(&asked.target));
            paths.filter(|path| path.ends_with(end)).count()
        };
        Fetches {
            discovery: count(DISCOVERY),
            jwks: count(KEYS),
        }
    }

    pub(super) fn answer_with(&self, status: Option<StatusCode>) {
        lock(&self.0).status = status;
    }

    pub(super) fn call_itself(&self, issuer: Option<String>) {
        lock(&self.0).issuer = issuer;
    }

    pub(super) fn point_to(&self, keys_at: Option<String>) {
        lock(&self.0).keys_at = keys_at;
    }

    pub(super) fn write_as(&self, coding: Option<&'static str>, write: Write) {
        lock(&self.0).form = Some(Form(coding, write));
    }

    pub(super) fn write_plainly(&self) {
        lock(&self.0).form = None;
    }

    pub(super) fn wait_for(&self, gate: Option<Gate>) {
        lock(&self.0).gate = gate;
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Stepped> {
        let text = |name| {
            let value = request.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let target = request.uri().path_and_query();
        let target = target.map(|target| target.as_str().to_owned());
        let target = target.unwrap_or_default();
        let authority = request.uri().authority().map(ToString::to_string);
        let authority = text(HOST).or(authority).unwrap_or_default();
        let (gate, form) = {
            let mut state = lock(&self.0);
            state.asked.push(Asked {
                target: target.clone(),
                credential: text(AUTHORIZATION),
            });
            (state.gate.clone(), state.form)
        };
        if let Some(gate) = gate {
            gate.pass().await;
        }
        let path = path(&target);
        let (status, body) = self.said(path, &authority);
        let body = body.into_bytes();
        let body = form.map_or(body.clone(), |Form(_, write)| write(&body));
        let mut response = Response::new(Stepped::new(vec![Step::data(body)]));
        *response.status_mut() = status;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if status.is_redirection() {
            headers.push(("location".to_owned(), format!("/moved{path}")));
        }
        if let Some(Form(Some(coding), _)) = form {
            headers.push(("content-encoding".to_owned(), coding.to_owned()));
        }
        *response.headers_mut() = map(&headers);
        response
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
                "jwks_uri": state.keys_at.as_ref().unwrap_or(&format!("{own}{KEYS}")),
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

fn path(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}
