//! The desk on the other side of the network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::Uri;
use chrono::DateTime;
use serde_json::Value;
use ureq::http::{Method, Request, Response};
use ureq::tls::{ClientCert, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::failed::Failed;
use crate::pem;
use crate::plain::plain;

/// Where a desk is if nobody says where.
pub const USUAL_DESK: &str = "http://127.0.0.1:7070";

/// How long a call may take: a thousand decisions are entered one by one.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest answer that is read, in bytes: a page of a list, with room for a later desk's.
const MAX_ANSWER_BYTES: u64 = 32 << 20;

/// The longest file with a key, in bytes.
const MAX_KEY_BYTES: u64 = 4 << 10;

/// The most that is shown of what a desk says in an error, in characters.
const MAX_SAID: usize = 500;

/// Where the desk is, and by what it knows the caller.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The desk's URL.
    pub desk: String,
    /// The key.
    pub key: Option<String>,
    /// The file with the key; it goes before `key`.
    pub key_file: Option<PathBuf>,
    /// A file with the authorities that the desk's certificate must lead to (PEM), instead of the usual ones.
    pub ca: Option<PathBuf>,
    /// A file with a certificate that is shown to the desk (PEM).
    pub certificate: Option<PathBuf>,
    /// The file with its private key (PEM).
    pub certificate_key: Option<PathBuf>,
    /// Whether JSON is printed, a value a line.
    pub json: bool,
}

/// A desk that is called.
pub struct Remote {
    agent: Agent,
    desk: String,
    authorization: String,
    /// Whether JSON is printed, a value a line.
    pub(super) json: bool,
}

/// What a desk said.
pub(super) struct Said {
    /// The body; null if there is none.
    pub value: Value,
    /// When it said so by its own clock, in seconds since 1970.
    pub at: i64,
}

impl Remote {
    /// Nothing is called yet.
    ///
    /// # Errors
    /// The URL is none, there is no key, or a file can't be read.
    pub fn new(access: &Access) -> Result<Self, Failed> {
        let (desk, host) = address(&access.desk)?;
        let key = key(access)?;
        let roots = match &access.ca {
            Some(path) => RootCerts::new_with_certs(&read(pem::certificates(path), "--ca")?),
            None => RootCerts::WebPki,
        };
        let mut tls = TlsConfig::builder().root_certs(roots);
        match (&access.certificate, &access.certificate_key) {
            (Some(certificate), Some(key)) => {
                let chain = read(pem::certificates(certificate), "--certificate")?;
                let key = read(pem::private_key(key), "--certificate-key")?;
                tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
            }
            (None, None) => {}
            _ => {
                return Err(Failed::Wrong(
                    "--certificate and --certificate-key: found one of both, expected both or none"
                        .to_owned(),
                ));
            }
        }
        let mut config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(16 << 10)
            .user_agent("portcullis")
            .tls_config(tls.build());
        // Nobody's proxy gets a key that is for this machine.
        if is_here(&host) {
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            desk,
            authorization: format!("Bearer {key}"),
            json: access.json,
        })
    }

    /// The desk's address, for messages.
    pub(super) fn address(&self) -> &str {
        &self.desk
    }

    pub(super) fn get(&self, path: &str) -> Result<Said, Failed> {
        self.call(&Method::GET, path, None)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Said, Failed> {
        self.call(&Method::POST, path, Some(body))
    }

    pub(super) fn delete(&self, path: &str) -> Result<Said, Failed> {
        self.call(&Method::DELETE, path, None)
    }

    fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Said, Failed> {
        let away = |error: &dyn std::fmt::Display| {
            Failed::Unable(format!(
                "{}: can't be reached: {}. Is the desk running, and is --desk (or PORTCULLIS_DESK) right?",
                self.desk,
                plain(&error.to_string()),
            ))
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.desk))
            .header("authorization", &self.authorization)
            .header("accept", "application/json");
        let sent = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string())
                .map_err(|error| away(&error))
                .map(|request| self.agent.run(request)),
            None => request
                .body(())
                .map_err(|error| away(&error))
                .map(|request| self.agent.run(request)),
        };
        let mut response = sent?.map_err(|error| away(&error))?;
        let at = clock(&response);
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        let bytes = body.read_to_vec().map_err(|error| away(&error))?;
        let value = match bytes.is_empty() {
            true => Some(Value::Null),
            false => serde_json::from_slice(&bytes).ok(),
        };
        match (status, value) {
            (200..=299, Some(value)) => Ok(Said { value, at }),
            (200..=399, _) => Err(Failed::Unable(format!(
                "{}: found an answer {status} that is not JSON, expected a desk's. Is --desk (or PORTCULLIS_DESK) right?",
                self.desk
            ))),
            (_, value) => Err(self.refused(status, value.as_ref())),
        }
    }

    /// A refusal, with what may help.
    fn refused(&self, status: u16, value: Option<&Value>) -> Failed {
        let error = value.and_then(|value| value.get("error"));
        let member = |name: &str| error?.get(name)?.as_str().map(shortened);
        let mut said = match (member("code"), member("message")) {
            (Some(code), Some(message)) => {
                format!("{}: refused, {status} {code}: {message}", self.desk)
            }
            _ => format!("{}: refused, {status}, without a word why", self.desk),
        };
        match status {
            401 => {
                said.push_str(" Give the key of a reviewer in PORTCULLIS_KEY or with --key-file.")
            }
            403 if member("code").as_deref() == Some("wrong_key") => {
                said.push_str(" PORTCULLIS_KEY or --key-file has another's.");
            }
            _ => {}
        }
        Failed::Refused { status, said }
    }
}

/// A text of the desk's, made harmless and short.
pub(super) fn shortened(text: &str) -> String {
    plain(&text.chars().take(MAX_SAID).collect::<String>())
}

/// Says which option a file was given by.
fn read<T>(result: Result<T, String>, option: &str) -> Result<T, Failed> {
    result.map_err(|why| Failed::Wrong(format!("{option}: {why}")))
}

/// The desk's address without a slash at its end, and its host.
fn address(text: &str) -> Result<(String, String), Failed> {
    let wrong = |found: &str| {
        Failed::Wrong(format!(
            "--desk (or PORTCULLIS_DESK): found {found}, expected http:// or https:// and a host, as in {USUAL_DESK}"
        ))
    };
    let uri = text.parse::<Uri>().map_err(|_| wrong("no URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("another kind of address"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("a name or a password"));
    }
    if uri.query().is_some() {
        return Err(wrong("a query"));
    }
    Ok((
        text.trim_end_matches('/').to_owned(),
        authority.host().to_owned(),
    ))
}

fn is_here(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The key, which no message shows.
fn key(access: &Access) -> Result<String, Failed> {
    let (place, text) = match (&access.key_file, &access.key) {
        (Some(path), _) => (format!("--key-file: {}", path.display()), key_in(path)?),
        (None, Some(key)) => ("PORTCULLIS_KEY".to_owned(), key.clone()),
        (None, None) => {
            return Err(Failed::Wrong(
                "found no key, expected a reviewer's in the environment variable PORTCULLIS_KEY or in a file that --key-file names".to_owned(),
            ));
        }
    };
    let key = text.trim_end_matches(['\r', '\n']);
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failed::Wrong(format!(
            "{place}: found {} bytes, expected a key: printable ASCII characters without spaces",
            key.len()
        )));
    }
    Ok(key.to_owned())
}

fn key_in(path: &Path) -> Result<String, Failed> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string());
    let text = file.and_then(|file| crate::policy::read_from(file, MAX_KEY_BYTES));
    text.map_err(|why| Failed::Wrong(format!("--key-file: {}: {why}", path.display())))
}

/// The desk's time, so that ages are right where clocks differ; this machine's if the desk doesn't tell.
fn clock(response: &Response<Body>) -> i64 {
    let date = response.headers().get("date");
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
    let own = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
    };
    date.map_or_else(own, |date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::{address, is_here};

    #[test]
    fn an_address_is_a_url_without_secrets() {
        for (text, desk, host) in [
            (
                "http://127.0.0.1:7070",
                "http://127.0.0.1:7070",
                "127.0.0.1",
            ),
            (
                "https://desk.example/",
                "https://desk.example",
                "desk.example",
            ),
            ("https://mesh/desk/", "https://mesh/desk", "mesh"),
            ("http://[::1]:7070", "http://[::1]:7070", "[::1]"),
        ] {
            let found = address(text).unwrap();
            assert_eq!((&*found.0, &*found.1), (desk, host), "{text}");
        }
        for wrong in [
            "",
            "desk",
            "/usr/bin/portcullis",
            "ftp://desk",
            "http://ana:secret@desk",
            "http://desk?key=secret",
        ] {
            let said = address(wrong).unwrap_err().to_string();
            assert!(
                said.contains("--desk") && !said.contains("secret"),
                "{said}"
            );
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for host in ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"] {
            assert!(is_here(host), "{host}");
        }
        for host in ["desk.example", "10.0.0.1", "[2001:db8::1]"] {
            assert!(!is_here(host), "{host}");
        }
    }
}
