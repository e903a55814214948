//! What the suite's files share: a guarded model server, what is sent to it, and what is kept of
//! that; and a desk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{self, Request, Response};
use testbed::idp::Idp;
use testbed::mesh::{Builder, Mesh};
use testbed::model::Model;
use testbed::process::{self, Process, TempDir};
use testbed::{desk, port, wait};

/// What the model server knows the filter by.
pub const CREDENTIAL: &str = "service-key-5f0c2b7e";

/// The identity provider of all tests: its keys take a moment to make.
pub fn idp() -> &'static Idp {
    static IDP: OnceLock<Idp> = OnceLock::new();
    IDP.get_or_init(|| Idp::start().unwrap())
}

/// A good token of Ana, who is an engineer.
pub fn ana() -> String {
    idp().good("ana", &["engineers"])
}

/// A policy that trusts the identity provider and puts the service credential on, with these
/// sections put in or replaced.
pub fn policy(sections: &Value) -> Value {
    let mut policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp",
            "issuer": idp().issuer(),
            "audiences": [testbed::idp::AUDIENCE],
            "keys": {"jwks": idp().jwks()},
            "claims": {"subject": "sub", "groups": "groups"},
        }]},
        "upstream": {
            "credential": {"header": "authorization", "value": "Bearer ${MODEL_SERVER_KEY}"},
        },
        "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"}],
        "otherwise": "deny",
    });
    let sections = sections.as_object().unwrap().clone();
    policy.as_object_mut().unwrap().extend(sections);
    policy
}

/// An Envoy with the filter, in front of a model server.
pub struct Guarded {
    pub mesh: Mesh,
    pub model: Model,
}

impl Guarded {
    /// Starts both under a policy.
    pub fn start(version: &str, policy: &Value) -> Self {
        Self::start_with(version, policy, |builder| builder)
    }

    /// As [`Guarded::start`], with something changed.
    pub fn start_with(
        version: &str,
        policy: &Value,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let model = Model::start().unwrap();
        let builder = Mesh::builder()
            .version(Some(version))
            .policy(policy)
            .variable("MODEL_SERVER_KEY", CREDENTIAL)
            // Most want it; those that don't may have the same Envoy then.
            .variable("DESK_KEY", FILTER_KEY)
            .variable("ANSWER_KEY", ANSWER_KEY)
            .model(model.port())
            .shared();
        let mesh = change(builder).start().unwrap();
        Self { mesh, model }
    }

    /// Sends a request on a connection of its own.
    pub fn send(&self, request: Request) -> Response {
        http::send(self.mesh.port(), request).unwrap()
    }

    /// As [`Guarded::send`], to a listener that was added.
    pub fn send_to(&self, listener: &str, request: Request) -> Response {
        http::send(self.mesh.port_of(listener).unwrap(), request).unwrap()
    }

    /// The one record of a request that was sent to this host name, once it is written.
    pub fn record(&self, host: &str) -> Value {
        let found = wait::value(
            &format!("the record of {host}"),
            Duration::from_secs(30),
            || {
                let records = self.mesh.sessions(0).unwrap();
                let mut of_host = records
                    .into_iter()
                    .filter(|one| one["request"]["host"] == host);
                let first = of_host.next()?;
                assert!(of_host.next().is_none(), "{host} has several records");
                Some(first)
            },
        );
        found.unwrap_or_else(|why| panic!("{why}; Envoy's log:\n{}", self.mesh.log()))
    }
}

/// What answers that wait are sealed with: 32 bytes in base64.
const ANSWER_KEY: &str = "c2V2ZW4gdGltZXMgZm91ciBhbmQgZm91ciBtb3JlISE=";

/// What the desk knows the filter by.
pub const FILTER_KEY: &str = "filter-key-8c1d4e0a93";

/// What the desk knows Lea, a reviewer in the group `ml-leads`, by.
pub const REVIEWER_KEY: &str = "reviewer-key-77ab20f6";

/// Where desks have their store, one after another, and where they listen.
pub struct Place {
    folder: PathBuf,
    /// Has the configuration; removed once nobody needs it.
    own: TempDir,
    /// Where approvals are asked for.
    pub port: u16,
    /// Where Envoy's access log stream goes.
    pub log_port: u16,
}

impl Place {
    /// A new store.
    pub fn new() -> Self {
        let own = process::folder().unwrap();
        Self::over(own.path().to_owned(), own)
    }

    /// A store in another folder, which lives as long as `own`.
    pub fn over(folder: PathBuf, own: TempDir) -> Self {
        Self::with(folder, own, &json!({}))
    }

    /// As [`Place::over`], with some members of the desk's configuration changed.
    fn with(folder: PathBuf, own: TempDir, changes: &Value) -> Self {
        let place = Self {
            folder,
            port: port::free().unwrap(),
            log_port: port::free().unwrap(),
            own,
        };
        place.configure(changes);
        place
    }

    /// The configuration of the next desk here, with some members changed.
    pub fn configure(&self, changes: &Value) {
        let mut config = json!({
            "filters": [{"name": "edge", "key": FILTER_KEY}],
            "reviewers": [{"name": "lea", "groups": ["ml-leads"], "key": REVIEWER_KEY}],
            "records_need_key": true,
        });
        let changes = changes.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(changes);
        fs::write(self.own.path().join("desk.json"), config.to_string()).unwrap();
    }

    /// What starts a desk here.
    pub fn command(&self) -> Command {
        let mut command = Command::new(desk::build().unwrap());
        command
            .arg("desk")
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .args(["--grpc", &format!("127.0.0.1:{}", self.log_port)])
            .arg("--store")
            .arg(self.folder.join("desk.sqlite"))
            .arg("--config")
            .arg(self.own.path().join("desk.json"));
        command
    }

    /// The ledger's folder.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("desk.ledger")
    }

    /// What `portcullis sessions` says of the ledger: its exit status and its output.
    pub fn sessions(&self, command: &str, more: &[&str]) -> (i32, String) {
        sessions(&self.ledger(), command, more)
    }
}

/// What `portcullis sessions` says of a ledger: its exit status and its output.
pub fn sessions(ledger: &Path, command: &str, more: &[&str]) -> (i32, String) {
    let mut portcullis = Command::new(desk::build().unwrap());
    portcullis.args(["sessions", command]).arg(ledger);
    let output = portcullis.args(more).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout);
    (output.status.code().unwrap(), format!("{said}{errors}"))
}

/// A running desk with a store.
pub struct Desk {
    pub process: Process,
    /// Where approvals are asked for.
    pub port: u16,
    /// Where Envoy's access log stream goes.
    pub log_port: u16,
    /// Where its store is.
    pub place: Arc<Place>,
}

impl Desk {
    /// Starts one with a store of its own.
    pub fn start() -> Self {
        Self::start_with(|_| json!({}))
    }

    /// As [`Desk::start`], with some members of its configuration changed; they are told its folder.
    pub fn start_with(change: impl FnOnce(&Path) -> Value) -> Self {
        let own = process::folder().unwrap();
        let changes = change(own.path());
        Self::start_at(&Arc::new(Place::with(own.path().to_owned(), own, &changes)))
    }

    /// Starts one with a store that may have been another one's.
    pub fn start_at(place: &Arc<Place>) -> Self {
        Self::start_by(place, place.command())
    }

    /// As [`Desk::start_at`], by a command that leads to the same.
    pub fn start_by(place: &Arc<Place>, command: Command) -> Self {
        let folder = process::folder().unwrap();
        let mut process = Process::spawn_in("the desk", folder, command).unwrap();
        for port in [place.port, place.log_port] {
            let listens = || wait::port(port, Duration::ZERO).is_ok();
            let what = format!("the desk to listen on {port}");
            process
                .until(&what, Duration::from_secs(30), listens)
                .unwrap();
        }
        Self {
            process,
            port: place.port,
            log_port: place.log_port,
            place: Arc::clone(place),
        }
    }

    /// Sends a request as the reviewer.
    pub fn send(&self, request: Request) -> Response {
        http::send(self.port, request.bearer(REVIEWER_KEY)).unwrap()
    }

    /// What the reviewer is shown at a path.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.send(Request::get(path));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Waits for the one pending approval of a subject.
    pub fn pending(&self, subject: &str) -> Value {
        let what = format!("a pending approval of {subject}");
        let found = wait::value(&what, Duration::from_secs(30), || {
            let list = self.get("/v1/approvals?state=pending");
            let all = list["approvals"].as_array().unwrap().clone();
            let mut of_subject = all.into_iter().filter(|one| one["subject"] == subject);
            let first = of_subject.next();
            assert!(of_subject.next().is_none(), "{subject} has several: {list}");
            first
        });
        found.unwrap()
    }

    /// Approves or denies as the reviewer.
    pub fn decide(&self, approval: &Value, decision: &str, reason: &str) {
        let id = approval["id"].as_str().unwrap();
        let path = format!("/v1/approvals/{id}/{decision}");
        let answer = self.send(Request::post(&path).json(&json!({"reason": reason})));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

/// A chat request of one user message.
pub fn chat(token: &str, text: &str) -> Request {
    Request::post("/v1/chat/completions")
        .bearer(token)
        .json(&chat_body(text))
}

/// The body of a chat request of one user message.
pub fn chat_body(text: &str) -> Value {
    json!({"model": "small-1", "messages": [{"role": "user", "content": text}]})
}

/// The code in an error of OpenAI's form.
pub fn code(response: &Response) -> String {
    let body = response.json();
    let code = body.pointer("/error/code").and_then(Value::as_str);
    code.unwrap_or_else(|| panic!("no code: {} {}", response.status, response.text()))
        .to_owned()
}
