//! The desk's process, and its API as a reviewer uses it.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{self, Request};
use testbed::process::{self, Process};
use testbed::{port, wait};

/// Who may decide.
pub const REVIEWER: &str = "ana";

/// Who asks for access ahead of need.
pub const ASKER: &str = "erin";

/// How long the desk may take to start, and a person's question to reach it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running desk with one filter, one reviewer, and somebody who may ask. Dropping it stops it.
pub struct Desk {
    _process: Process,
    binary: PathBuf,
    /// Where approvals and session records are served.
    pub port: u16,
    /// Where Envoy's access log stream goes.
    pub grpc_port: u16,
    /// What the filter shows.
    pub filter_key: String,
    /// What the reviewer shows.
    pub reviewer_key: String,
    /// What shows who asks for access.
    pub asker_key: String,
}

impl Desk {
    /// Starts one, where people's tokens have this issuer; a port of 0 takes a free one.
    pub fn start(wanted: u16, wanted_grpc: u16, issuer: &str) -> Result<Self, String> {
        let binary = testbed::desk::build()?;
        let port = chosen(wanted)?;
        let grpc_port = chosen(wanted_grpc)?;
        let filter_key = secret("filter");
        let reviewer_key = secret(REVIEWER);
        let asker_key = secret(ASKER);
        let known_as = |subject: &str| json!([{ "issuer": issuer, "subject": subject }]);
        let folder = process::folder()?;
        let config = folder.path().join("desk.json");
        let people = json!({
            "filters": [{ "name": "envoy", "key": "${DESK_KEY}" }],
            "reviewers": [
                {
                    "name": REVIEWER, "groups": ["ml-leads"], "key": "${REVIEWER_KEY}",
                    "subjects": known_as(REVIEWER), "blocks": true,
                },
                { "name": ASKER, "groups": ["engineers"], "key": "${ASKER_KEY}", "subjects": known_as(ASKER) },
            ],
            "records_need_key": true,
        });
        fs::write(&config, people.to_string())
            .map_err(|error| format!("cannot write {}: {error}", config.display()))?;
        let mut command = Command::new(&binary);
        command
            .arg("desk")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--grpc", &format!("127.0.0.1:{grpc_port}")])
            .arg("--store")
            .arg(folder.path().join("desk.sqlite"))
            .arg("--config")
            .arg(config)
            .env("DESK_KEY", &filter_key)
            .env("REVIEWER_KEY", &reviewer_key)
            .env("ASKER_KEY", &asker_key);
        let mut process = Process::spawn_in("the desk", folder, command)?;
        process.until("the desk to listen", PATIENCE, || {
            [port, grpc_port]
                .iter()
                .all(|port| wait::port(*port, Duration::ZERO).is_ok())
        })?;
        Ok(Self {
            _process: process,
            binary,
            port,
            grpc_port,
            filter_key,
            reviewer_key,
            asker_key,
        })
    }

    /// Runs `portcullis` with these arguments, as the person whose key it is; gives what it prints.
    pub fn run(&self, key: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env("PORTCULLIS_DESK", format!("http://127.0.0.1:{}", self.port))
            .env("PORTCULLIS_KEY", key);
        let output = command.output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        match output.status.success() {
            true => Ok(said),
            false => Err(format!(
                "portcullis {}: {said}{}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }

    /// Waits until an approval is pending, and gives it.
    pub fn pending(&self) -> Result<Value, String> {
        let mut failed = None;
        let found = wait::value(
            "a pending approval in the desk's list",
            PATIENCE,
            || match self.send(Request::get("/v1/approvals?state=pending")) {
                Ok(list) => list.pointer("/approvals/0").cloned(),
                Err(why) => {
                    failed = Some(why);
                    Some(Value::Null)
                }
            },
        )?;
        failed.map_or(Ok(found), Err)
    }

    /// Approves or denies (`decision` is `approve` or `deny`), as the reviewer; gives the
    /// approval as it is now.
    pub fn decide(&self, id: &str, decision: &str, reason: &str) -> Result<Value, String> {
        let path = format!("/v1/approvals/{id}/{decision}");
        self.send(Request::post(&path).json(&json!({ "reason": reason })))
    }

    /// Waits until there are `count` session records; gives them, the oldest first.
    pub fn sessions(&self, count: usize) -> Result<Vec<Value>, String> {
        let mut found = Ok(Vec::new());
        wait::until("all session records at the desk", PATIENCE, || {
            found = self
                .send(Request::get("/v1/sessions?limit=200"))
                .map(|list| listed(&list));
            found.as_ref().map_or(true, |list| list.len() >= count)
        })?;
        found
    }

    /// One session record, whole.
    pub fn session(&self, id: &str) -> Result<Value, String> {
        self.send(Request::get(&format!("/v1/sessions/{id}")))
    }

    fn send(&self, request: Request) -> Result<Value, String> {
        let response = http::send(self.port, request.bearer(&self.reviewer_key))?;
        match response.status {
            200 => Ok(response.json()),
            status => Err(format!("the desk answered {status}: {}", response.text())),
        }
    }
}

/// The records of a list that has the latest first.
fn listed(list: &Value) -> Vec<Value> {
    let sessions = list.pointer("/sessions").and_then(Value::as_array);
    sessions.into_iter().flatten().rev().cloned().collect()
}

fn chosen(wanted: u16) -> Result<u16, String> {
    match wanted {
        0 => port::free(),
        fixed => Ok(fixed),
    }
}

/// A key for one run of the demo: 128 bits from the system's randomness, which seeds the
/// standard library's hashers.
pub fn secret(whose: &str) -> String {
    let half = || RandomState::new().hash_one(whose);
    format!("{whose}-{:016x}{:016x}", half(), half())
}
