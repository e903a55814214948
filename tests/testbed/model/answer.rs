//! An HTTP answer, as a test wants it.

use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::body::{Gate, Step, Stepped, map};

/// What is answered. The body is sent in steps, so it can be cut into pieces,
/// held back, broken off, or larger than anyone would write down.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<Step>,
    gate: Option<Gate>,
}

impl Answer {
    /// An answer with no headers of its own and no body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            gate: None,
        }
    }

    /// Status 200 with a JSON body of known length.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self::new(200)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// The same answer with another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header. What HTTP does not allow is left out.
    #[must_use]
    pub fn header(self, name: &str, value: impl ToString) -> Self {
        self.header_bytes(name, value.to_string())
    }

    /// Adds a header whose value need not be text.
    #[must_use]
    pub fn header_bytes(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Nothing is answered, not even the head, before the gate lets it through.
    #[must_use]
    pub fn gated(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// A body of known length.
    #[must_use]
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut answer = self.header("content-length", body.len());
        answer.body = vec![Step::data(body)];
        answer
    }

    /// A body that is sent in steps, with no content-length unless a header
    /// gives one.
    #[must_use]
    pub fn steps(mut self, steps: Vec<Step>) -> Self {
        self.body = steps;
        self
    }

    pub(super) async fn into_response(self) -> Response<Stepped> {
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        self.response_with(Stepped::new(self.body.clone()))
    }

    /// The head of this answer, with another body.
    pub(super) fn response_with(&self, body: Stepped) -> Response<Stepped> {
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = map(&self.headers);
        response
    }
}
