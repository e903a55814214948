//! Starts desks on free ports and stops them.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::client::{Answer, call};

pub const EDGE: &str = "the-key-of-the-edge-filter";
pub const INNER: &str = "the-key-of-the-inner-filter";
pub const ANA: &str = "the-key-of-the-reviewer-ana";
pub const BOB: &str = "the-key-of-the-reviewer-bob";

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.env("DESK_KEY", EDGE).env("ANA_KEY", ANA);
    command
}

/// A folder of its own for one test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("portcullis-desk-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A configuration with the filters edge and inner, and the reviewers ana (ml-leads) and bob (legal).
    pub fn config(&self) -> PathBuf {
        self.config_with(false)
    }

    /// The same, where records are taken only with a key if they need one.
    pub fn config_with(&self, records_need_key: bool) -> PathBuf {
        self.config_changed(json!({ "records_need_key": records_need_key }))
    }

    /// The same with other members.
    pub fn config_changed(&self, changes: Value) -> PathBuf {
        let usual = json!({
            "filters": [
                { "name": "edge", "key": "${DESK_KEY}" },
                { "name": "inner", "key": INNER },
            ],
            "reviewers": [
                { "name": "ana", "groups": ["ml-leads"], "key": "${ANA_KEY}" },
                { "name": "bob", "groups": ["legal", "finance"], "key": BOB },
            ],
        });
        self.write("desk.json", &with(usual, changes).to_string())
    }

    /// The first of these configurations, with some members changed.
    pub fn config_but(&self, changes: Value) -> PathBuf {
        let text = std::fs::read_to_string(self.config()).unwrap();
        let changed = with(serde_json::from_str(&text).unwrap(), changes);
        self.write("desk.json", &changed.to_string())
    }

    pub fn store(&self) -> PathBuf {
        self.file("desk.sqlite")
    }

    /// Where the desk keeps session records.
    pub fn ledger(&self) -> PathBuf {
        self.file("desk.ledger")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Desk {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    pub http: SocketAddr,
    pub grpc: SocketAddr,
}

impl Desk {
    pub fn start(folder: &Folder) -> Self {
        Self::start_with(&folder.config(), &folder.store())
    }

    pub fn start_with(config: &Path, store: &Path) -> Self {
        Self::start_in(Path::new("."), config, store)
    }

    pub fn start_in(folder: &Path, config: &Path, store: &Path) -> Self {
        Self::start_by(command().current_dir(folder), config, store)
    }

    /// Starts a desk with a ledger that stands elsewhere.
    pub fn start_apart(config: &Path, store: &Path, ledger: &Path) -> Self {
        let mut command = command();
        command.arg("desk").arg("--ledger").arg(ledger);
        command.arg("--keys").arg(ledger.with_extension("keys"));
        Self::start_rest(&mut command, config, store)
    }

    /// Starts a desk whose checkpoints go to a witness.
    pub fn start_witnessed(config: &Path, store: &Path, witness: &Path) -> Self {
        let mut command = command();
        command.arg("desk").arg("--witness").arg(witness);
        Self::start_rest(&mut command, config, store)
    }

    /// Starts what `command` is, with the arguments of a desk behind its own.
    pub fn start_by(command: &mut Command, config: &Path, store: &Path) -> Self {
        Self::start_rest(command.arg("desk"), config, store)
    }

    fn start_rest(command: &mut Command, config: &Path, store: &Path) -> Self {
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0"])
            .arg("--store")
            .arg(store)
            .arg("--config")
            .arg(config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        while !log.contains("the desk is open") {
            assert_ne!(stderr.read_line(&mut log).unwrap(), 0, "no desk: {log}");
        }
        let address = |name: &str| {
            let (_, rest) = log.split_once(&format!(" {name}=")).unwrap();
            rest.split_whitespace().next().unwrap().parse().unwrap()
        };
        let (http, grpc) = (address("http"), address("grpc"));
        let log = Arc::new(Mutex::new(log));
        let more = Arc::clone(&log);
        Self {
            http,
            grpc,
            child,
            log,
            reader: Some(std::thread::spawn(move || {
                for line in stderr.lines() {
                    let mut log = more.lock().unwrap();
                    log.push_str(&line.unwrap());
                    log.push('\n');
                }
            })),
        }
    }

    /// Waits until this is logged; returns everything up to there.
    pub fn until_logged(&self, text: &str) -> String {
        loop {
            let log = self.log.lock().unwrap().clone();
            if log.contains(text) {
                return log;
            }
            std::thread::yield_now();
        }
    }

    /// SIGKILL: nothing can be put in order any more.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; returns how it ended and everything that it logged.
    pub fn stop(mut self) -> (ExitStatus, String) {
        self.signal();
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let log = self.log.lock().unwrap().clone();
        (status, log)
    }

    pub fn signal(&self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    pub fn get(&self, target: &str, key: &str) -> Answer {
        call(self.http, "GET", target, Some(key), None)
    }

    pub fn post(&self, target: &str, key: &str, body: &Value) -> Answer {
        call(
            self.http,
            "POST",
            target,
            Some(key),
            Some(&body.to_string()),
        )
    }

    pub fn ask(&self, question: &Value) -> Value {
        self.post("/v1/approvals", EDGE, question).ok()
    }

    /// Claims what `question` asks for, with a claim that is told apart by `number`.
    pub fn claim(&self, id: &str, question: &Value, number: u64) -> Answer {
        let body = json!({
            "claim": format!("{number:032x}"),
            "binding": question["binding"],
            "exchange": format!("{number:032x}"),
        });
        self.post(&format!("/v1/approvals/{id}/claim"), EDGE, &body)
    }

    /// Gives such a claim back.
    pub fn give_back(&self, id: &str, number: u64) -> Answer {
        let body = json!({ "claim": format!("{number:032x}"), "why": "status_5xx" });
        self.post(&format!("/v1/approvals/{id}/give_back"), EDGE, &body)
    }

    pub fn decide(&self, id: &str, how: &str, key: &str) -> Answer {
        call(
            self.http,
            "POST",
            &format!("/v1/approvals/{id}/{how}"),
            Some(key),
            None,
        )
    }

    /// Asks for the list until `enough` says so.
    pub fn until(&self, target: &str, enough: impl Fn(&Value) -> bool) -> Value {
        loop {
            let seen = self.get(target, ANA).ok();
            if enough(&seen) {
                return seen;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The question of a request that is told apart by `number`.
pub fn question(number: u64) -> Value {
    json!({
        "version": 2,
        "binding": format!("{number:064x}"),
        "about": "request",
        "asker": format!("{:032x}", 1),
        "exchange": format!("{number:032x}"),
        "subject": "carol",
        "issuer": "https://idp.example",
        "provider": "corp",
        "groups": ["ml"],
        "email": "carol@example.com",
        "operation": "model.export",
        "method": "GET",
        "host": "models.example",
        "path": "/v1/models/big/artifact",
        "query": null,
        "model": "big",
        "items": 1,
        "route": "models",
        "cluster": "model",
        "headers": { "content-type": "application/json" },
        "body": { "digest": format!("{:064x}", 5), "bytes": 2 },
        "client": "192.0.2.1",
        "rule": "export-needs-a-person",
        "rule_digest": format!("{:064x}", 6),
        "reviewers": ["ml-leads"],
        "policy": format!("{:064x}", 7),
    })
}

/// `base` with some members changed.
pub fn with(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    for (name, value) in changes {
        base[name] = value;
    }
    base
}

pub fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}
