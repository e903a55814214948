//! A module for Envoy that judges signatures instead of requests, so that a test can hand it
//! tokens which are no access tokens. It judges with the filter's own code, and with the host's
//! cryptography if it is asked to.
//!
//! A request's body is `{"keys": [a JSON Web Key, ...], "token": "...", "host": true}`. The answer
//! is `{"refused": null or why, "host": how many times the host verified}`, with 200 for a token
//! that is accepted, 403 for one that is refused, and 400 for another body.
#![cfg(target_arch = "wasm32")]

use core::cell::Cell;
use std::rc::Rc;

use portcullis::host::HostNative;
use portcullis::identity::section::{Algorithm, InlineKey, VerifyWith};
use portcullis::identity::{KeySet, Native, NoNative, verify_jws};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use serde_json::{Value, json};

/// Runs once for each VM.
fn start() {
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { host: None }));
}

mod entry {
    proxy_wasm::main! {{ super::start(); }}
}

struct Root {
    host: Option<Rc<HostNative>>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.host = HostNative::find(VerifyWith::Host).ok().map(Rc::new);
        self.host.is_some()
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let host = self.host.clone()?;
        Some(Box::new(Judge { host }))
    }
}

struct Judge {
    host: Rc<HostNative>,
}

impl Context for Judge {}

impl HttpContext for Judge {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        if end {
            self.answer(&[]);
        }
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if end {
            let body = self.get_http_request_body(0, size).unwrap_or_default();
            self.answer(&body);
        }
        Action::Pause
    }
}

impl Judge {
    fn answer(&self, body: &[u8]) {
        let host = Counted {
            host: &self.host,
            verified: Cell::new(0),
        };
        let (status, refused) = match judge(body, &host) {
            None => (400, Some("not a body that can be judged".to_owned())),
            Some(Ok(())) => (200, None),
            Some(Err(why)) => (403, Some(why)),
        };
        let answer = json!({"refused": refused, "host": host.verified.get()}).to_string();
        self.send_http_response(status, Vec::new(), Some(answer.as_bytes()));
    }
}

fn judge(body: &[u8], host: &dyn Native) -> Option<Result<(), String>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let keys: Vec<InlineKey> = body
        .get("keys")?
        .as_array()?
        .iter()
        .map(|jwk| InlineKey {
            path: String::new(),
            jwk: jwk.clone(),
        })
        .collect();
    let token = body.get("token")?.as_str()?;
    let native: &dyn Native = match body.get("host")?.as_bool()? {
        true => host,
        false => &NoNative,
    };
    let algorithms = Algorithm::NAMES.map(|(_, algorithm)| algorithm);
    let set = match KeySet::inline(&keys, &algorithms) {
        Ok((set, _)) => set,
        Err(problems) => {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Some(Err(format!("keys: {}", problems.join("; "))));
        }
    };
    let verdict = verify_jws(token, &set, &algorithms, native);
    Some(verdict.map_err(|refusal| refusal.code().to_string()))
}

/// The host, and how many times it gave a verdict.
struct Counted<'a> {
    host: &'a HostNative,
    verified: Cell<u32>,
}

impl Native for Counted<'_> {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let verdict = self.host.verify(algorithm, key, message, signature)?;
        self.verified.set(self.verified.get().saturating_add(1));
        Some(verdict)
    }
}
