//! An HTTP answer, as a test wants it.

use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::body::{Step, Stepped, map};

/// What is answered. The body is sent in steps, so it can be cut into pieces,
/// held back, broken off, or larger than anyone would write down.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<Step>,
}

impl Answer {
    /// An answer with no headers of its own and no body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
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

    /// Adds a header. A name or value that HTTP does not allow is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
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

    /// Must be called inside a runtime.
    pub(super) fn into_response(self) -> Response<Stepped> {
        let mut response = Response::new(Stepped::new(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = map(&self.headers);
        response
    }
}
