//! An HTTP client that waits for a bounded time, reads a bounded answer, and never follows a redirect.

use std::path::Path;
use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// How long a call may take, from the name's look-up to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes: a note's, about.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// Calls witnesses. Connections are kept open for the next call.
#[derive(Clone, Debug)]
pub struct Client(Agent);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Client {
    /// A client that trusts the usual authorities, or with `ca`, those in this file (PEM) and no others.
    ///
    /// # Errors
    /// The file can't be read, or has no certificates.
    pub fn new(ca: Option<&Path>) -> Result<Self, String> {
        let roots = match ca {
            Some(path) => RootCerts::new_with_certs(&crate::pem::certificates(path)?),
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(16 << 10)
            .user_agent("portcullis")
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self(config.new_agent()))
    }

    /// Posts plain text.
    ///
    /// # Errors
    /// There is no answer, or it is too long.
    pub fn post(
        &self,
        url: &str,
        authorization: Option<&str>,
        body: &str,
    ) -> Result<Received, String> {
        let mut request = self
            .0
            .post(url)
            .header("content-type", "text/plain; charset=utf-8");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        receive(request.send(body))
    }

    /// Fetches a text.
    ///
    /// # Errors
    /// There is no answer, or it is too long.
    pub fn get(&self, url: &str) -> Result<Received, String> {
        receive(self.0.get(url).call())
    }
}

fn receive(result: Result<ureq::http::Response<Body>, ureq::Error>) -> Result<Received, String> {
    let mut response = result.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES);
    Ok(Received {
        status,
        body: body.read_to_string().map_err(|error| error.to_string())?,
    })
}
