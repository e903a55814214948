//! Servers on five stacks read many spellings of requests: whatever reaches one, it reads as the
//! filter's record says that it was judged; what it would read otherwise is refused.
//!
//! The servers say what they read (`servers/reading.py`), and the spellings stand in `spellings.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::Response;
use testbed::http::raw::Connection;
use testbed::wait;

use super::server::Server;
use super::spellings::{self, Must, PROBE, Spelling};
use crate::installed::PYTHON;
use crate::support::{Guarded, ana, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    fastapi_reads_what_was_judged,
    aiohttp_reads_what_was_judged,
    flask_reads_what_was_judged,
    hypercorn_reads_what_was_judged,
    gos_rules_read_what_was_judged,
);

/// Set by the servers on the answer to whatever one of their routes took.
const READ: &str = "x-reader";

/// What the policy allows.
const ALLOWED: [&str; 6] = [
    "inference.chat",
    "inference.completion",
    "inference.generate",
    "embedding.create",
    "model.list",
    "file.write",
];

fn fastapi_reads_what_was_judged(version: &str) {
    reads_what_was_judged(version, "on_fastapi.py", true);
}

fn aiohttp_reads_what_was_judged(version: &str) {
    reads_what_was_judged(version, "on_aiohttp.py", true);
}

fn flask_reads_what_was_judged(version: &str) {
    reads_what_was_judged(version, "on_flask.py", true);
}

fn hypercorn_reads_what_was_judged(version: &str) {
    reads_what_was_judged(version, "on_hypercorn.py", false);
}

fn gos_rules_read_what_was_judged(version: &str) {
    reads_what_was_judged(version, "on_go_rules.py", false);
}

/// `forms` says whether the server reads forms.
fn reads_what_was_judged(version: &str, script: &str, forms: bool) {
    let Some(python) = PYTHON.python() else {
        return;
    };
    let server = Server::start(&python, script, 1, &[], "/read");
    let written = policy(&json!({
        "patterns": {"probe": {"any_of": [format!("(?i){PROBE}")]}},
        "rules": [
            {
                "name": "probing",
                "when": {"operation": ["inference.*", "embedding.*"], "prompt": ["probe"]},
                "then": "deny",
            },
            {
                "name": "secret",
                "when": {"operation": ["inference.*", "embedding.*", "model.*"], "model": ["secret-*"]},
                "then": "deny",
            },
            {
                "name": "bulk",
                "when": {"operation": ["inference.*", "embedding.*"], "items": {"over": 4}},
                "then": "deny",
            },
            {"name": "people", "when": {"operation": ALLOWED}, "then": "allow"},
        ],
    }));
    let guarded = Guarded::start_with(version, &written, |builder| builder.model(server.port(0)));
    let token = ana();
    let spellings = spellings::all();
    let hosts: BTreeSet<String> = spellings.iter().map(host).collect();
    assert_eq!(hosts.len(), spellings.len(), "two spellings have one host");
    let answers: Vec<Response> = spellings
        .iter()
        .map(|spelling| send(&guarded, spelling, &token))
        .collect();
    let records = records(&guarded, &spellings, &answers);

    let mut wrong = Vec::new();
    let mut read = 0;
    for (spelling, answer) in spellings.iter().zip(&answers) {
        let reached = answer.header(READ).is_some();
        read += u64::from(reached);
        let record = records.get(&host(spelling));
        let judged = judge(spelling, answer, record, forms);
        if let Err(why) = judged {
            wrong.push(format!("{}: {why}", spelling.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{script}: {} of {} spellings:\n{}",
        wrong.len(),
        spellings.len(),
        wrong.join("\n")
    );
    // Nothing came that this client was not told of.
    assert_eq!(server.read(), read, "{script}");
}

/// The host by which a spelling's record is found.
fn host(spelling: &Spelling) -> String {
    let plain: String = spelling
        .name
        .chars()
        .map(|letter| match letter {
            'a'..='z' | '0'..='9' | '-' => letter,
            _ => '-',
        })
        .collect();
    // Where two names differ in letters that are no host's.
    let sum: u32 = spelling.name.bytes().map(u32::from).sum();
    format!("{plain}-{sum}.test")
}

/// The answer to a spelling, sent on a connection of its own.
fn send(guarded: &Guarded, spelling: &Spelling, token: &str) -> Response {
    let mut bytes = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n",
        spelling.method,
        spelling.target.replace("HOST", &host(spelling)),
        host(spelling),
    )
    .into_bytes();
    for (name, value) in &spelling.headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    if let Some(body) = &spelling.body {
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
    } else {
        bytes.extend_from_slice(b"\r\n");
    }
    let mut connection = Connection::open(guarded.mesh.port()).unwrap();
    connection.send(&bytes).unwrap();
    let answer = connection.response();
    answer.unwrap_or_else(|why| panic!("{}: {why}", spelling.name))
}

/// The records of all exchanges that have one, by host, once those are there that reached a server.
fn records(
    guarded: &Guarded,
    spellings: &[Spelling],
    answers: &[Response],
) -> BTreeMap<String, Value> {
    let reached: Vec<String> = spellings
        .iter()
        .zip(answers)
        .filter(|(_, answer)| answer.header(READ).is_some())
        .map(|(spelling, _)| host(spelling))
        .collect();
    let found = wait::value("all records", Duration::from_secs(30), || {
        let records = guarded.mesh.sessions(0).unwrap().into_iter();
        let by_host: BTreeMap<String, Value> = records
            .filter_map(|record| Some((record["request"]["host"].as_str()?.to_owned(), record)))
            .collect();
        let all = reached.iter().all(|host| by_host.contains_key(host));
        all.then_some(by_host)
    });
    found.unwrap()
}

/// Whether what became of a spelling is right.
fn judge(
    spelling: &Spelling,
    answer: &Response,
    record: Option<&Value>,
    forms: bool,
) -> Result<(), String> {
    let told = answer.text();
    let reached = answer.header(READ).is_some();
    let readable = forms || !spelling.form;
    match spelling.must {
        Must::Pass if readable && (answer.status, reached) != (200, true) => {
            return Err(format!("was not read: {} {told}", answer.status));
        }
        Must::Refuse if reached => return Err(format!("was read: {told}")),
        _ => {}
    }
    if !reached {
        return Ok(());
    }
    let record = record.ok_or("was read, and has no record")?;
    let judged = &record["request"];
    // A server that can make nothing of a request does nothing.
    if answer.status == 400 || spelling.method == "HEAD" {
        return Ok(());
    }
    let read = answer.json();
    let says = |name: &str| {
        format!(
            "{name} was read as {}, judged as {}",
            read[name], judged[name]
        )
    };
    for name in ["operation", "model"] {
        if read[name] != judged[name] {
            return Err(says(name));
        }
    }
    if !read["items"].is_null() && read["items"] != judged["items"] {
        return Err(says("items"));
    }
    // And judged as it was, it is allowed.
    if !ALLOWED.iter().any(|one| read["operation"] == *one) {
        return Err(format!("is denied, and was read: {read}"));
    }
    let model = read["model"].as_str().unwrap_or_default();
    if model.starts_with("secret-") || read["items"].as_u64().is_some_and(|items| items > 4) {
        return Err(format!("is denied, and was read: {read}"));
    }
    if read["texts"].to_string().to_lowercase().contains(PROBE) {
        return Err(format!("has a prompt that is denied, and was read: {read}"));
    }
    Ok(())
}
