//! Small questions to servers that may be anything: what listens there, and what time it has.

use std::io::Read;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::Uri;
use chrono::DateTime;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{RootCerts, TlsConfig};

use crate::plain::plain;

/// What a server answered.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// How far its clock is ahead of this machine's, in seconds, where it says.
    pub(crate) ahead: Option<i64>,
    /// The body, up to the bound.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Who asks, with a bound on the time of each question and on the size of its answer.
pub(crate) struct Looker {
    direct: Agent,
    outside: Agent,
    most: u64,
    authorization: Option<String>,
}

impl Looker {
    /// One that waits for so long, and reads so many bytes.
    pub(crate) fn new(patience: Duration, most: u64) -> Self {
        Self {
            direct: agent(patience, RootCerts::WebPki, true),
            outside: agent(patience, RootCerts::WebPki, false),
            most,
            authorization: None,
        }
    }

    /// One that asks as Envoy does: by no proxy, wherever it is, and trusting these authorities.
    pub(crate) fn like_envoy(patience: Duration, most: u64, roots: RootCerts) -> Self {
        let direct = agent(patience, roots, true);
        Self {
            outside: direct.clone(),
            direct,
            most,
            authorization: None,
        }
    }

    /// The same, with a header `authorization` in each question.
    pub(crate) fn with_authorization(self, value: Option<String>) -> Self {
        Self {
            authorization: value,
            ..self
        }
    }

    /// Asks for a document. `host` is the name to ask for, where it isn't the address.
    ///
    /// # Errors
    /// There is no answer, or it is longer.
    pub(crate) fn get(&self, url: &str, host: Option<&str>) -> Result<Answer, String> {
        self.ask(url, host, None)
    }

    /// As [`Self::get`], with a body of JSON.
    ///
    /// # Errors
    /// As of [`Self::get`].
    pub(crate) fn post(&self, url: &str, body: &Value) -> Result<Answer, String> {
        self.ask(url, None, Some(body))
    }

    fn ask(&self, url: &str, host: Option<&str>, body: Option<&Value>) -> Result<Answer, String> {
        let said = |error: &dyn std::fmt::Display| plain(&error.to_string());
        let uri: Uri = url.parse().map_err(|error| said(&error))?;
        // Nobody's proxy is asked for what is on this machine or its network.
        let agent = match uri.host().is_some_and(is_near) {
            true => &self.direct,
            false => &self.outside,
        };
        let mut request = Request::builder()
            .method(if body.is_some() { "POST" } else { "GET" })
            .uri(url)
            .header("accept", "application/json");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        if let Some(value) = &self.authorization {
            request = request.header("authorization", value);
        }
        let sent = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string())
                .map_err(|error| said(&error))
                .map(|request| agent.run(request)),
            None => request
                .body(())
                .map_err(|error| said(&error))
                .map(|request| agent.run(request)),
        };
        let mut response = sent?.map_err(|error| said(&error))?;
        let now = now();
        let date = response.headers().get("date");
        let date = date.and_then(|value| DateTime::parse_from_rfc2822(value.to_str().ok()?).ok());
        let mut body = Vec::new();
        response
            .body_mut()
            .as_reader()
            .take(self.most.saturating_add(1))
            .read_to_end(&mut body)
            .map_err(|error| said(&error))?;
        if u64::try_from(body.len()).unwrap_or(u64::MAX) > self.most {
            return Err(format!("the answer is longer than {} bytes", self.most));
        }
        Ok(Answer {
            status: response.status().as_u16(),
            ahead: date.and_then(|time| time.timestamp().checked_sub(now)),
            body,
        })
    }
}

fn agent(patience: Duration, roots: RootCerts, direct: bool) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(patience))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .max_response_header_size(16 << 10)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .user_agent("portcullis");
    match direct {
        true => config.proxy(None).build().new_agent(),
        false => config.build().new_agent(),
    }
}

/// This machine's clock, in seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Whether a host is this machine.
pub(crate) fn is_here(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a host is this machine or an address.
fn is_near(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    is_here(host) || ip.parse::<IpAddr>().is_ok()
}
