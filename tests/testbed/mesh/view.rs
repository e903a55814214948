//! What an Envoy shows of itself: its admin interface and its access log.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::process::Process;
use crate::{http, wait};

/// How long Envoy may take to start: it compiles the module, which others may do at the same time.
pub(super) const STARTING: Duration = Duration::from_secs(120);

/// Lines are written within a tenth of a second of an exchange's end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Counters and gauges by name.
pub type Stats = BTreeMap<String, u64>;

pub(super) fn admin(port: u16, path: &str) -> Result<String, String> {
    let response = http::get(port, path)?;
    match response.status {
        200 => Ok(response.text()),
        status => Err(format!("admin {path}: {status} {}", response.text())),
    }
}

/// The listeners' names and ports, in the configuration's order.
pub(super) fn listeners(port: u16) -> Result<Vec<(String, u16)>, String> {
    let text = admin(port, "/listeners?format=json")?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let listed = answer
        .pointer("/listener_statuses")
        .and_then(Value::as_array);
    let found: Vec<(String, u16)> = listed
        .into_iter()
        .flatten()
        .filter_map(|listener| {
            let name = listener.get("name")?.as_str()?.to_owned();
            let port = listener.pointer("/local_address/socket_address/port_value")?;
            Some((name, u16::try_from(port.as_u64()?).ok()?))
        })
        .collect();
    match found.is_empty() {
        true => Err(format!("Envoy lists no listener: {text}")),
        false => Ok(found),
    }
}

pub(super) fn stats(port: u16, part: &str) -> Result<Stats, String> {
    let text = admin(port, "/stats?format=json")?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let all = answer.get("stats").and_then(Value::as_array);
    let found = all.into_iter().flatten().filter_map(|stat| {
        let name = stat.get("name")?.as_str()?;
        let value = stat.get("value")?.as_u64()?;
        name.contains(part).then(|| (name.to_owned(), value))
    });
    Ok(found.collect())
}

/// What Envoy calls a line of an exchange that goes on.
const RUNNING: &str = "DownstreamPeriodic";

/// The lines of exchanges that are over.
pub(super) fn access_log(file: &Path, count: usize) -> Result<Vec<Value>, String> {
    let mut failed = None;
    let what = format!("{count} lines in the access log");
    let found = wait::value(&what, PATIENCE, || match lines(file) {
        Ok(mut lines) => {
            lines.retain(|line| line["type"] != RUNNING);
            (lines.len() >= count).then_some(lines)
        }
        Err(error) => {
            failed = Some(error);
            Some(Vec::new())
        }
    })?;
    failed.map_or(Ok(found), Err)
}

/// All lines of the access log. The last one may be half written: it is left out then.
fn lines(file: &Path) -> Result<Vec<Value>, String> {
    fs::read_to_string(file)
        .unwrap_or_default()
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| {
            serde_json::from_str(line).map_err(|error| format!("access log: {error}: {line}"))
        })
        .collect()
}

pub(super) fn sessions(file: &Path, count: usize) -> Result<Vec<Value>, String> {
    let mut failed = None;
    let what = format!("{count} session records in the access log");
    let found = wait::value(&what, PATIENCE, || match records(&lines(file), false) {
        Ok(records) => (records.len() >= count).then_some(records),
        Err(error) => {
            failed = Some(error);
            Some(Vec::new())
        }
    })?;
    failed.map_or(Ok(found), Err)
}

/// What stands for the records of exchanges that went on when they were logged.
pub(super) fn running(file: &Path) -> Result<Vec<Value>, String> {
    records(&lines(file), true)
}

fn records(lines: &Result<Vec<Value>, String>, running: bool) -> Result<Vec<Value>, String> {
    let lines = lines.as_ref().map_err(Clone::clone)?;
    lines
        .iter()
        .filter_map(|line| line.get("session").and_then(Value::as_str))
        .filter(|session| *session != "-")
        .map(|session| {
            serde_json::from_str(session).map_err(|error| format!("session: {error}: {session}"))
        })
        .filter(|session| match session {
            Ok(session) => Value::get(session, "open").is_some() == running,
            Err(_) => true,
        })
        .collect()
}

/// Waits until an Envoy serves, and gives its admin interface's port.
pub(super) fn serving(process: &mut Process) -> Result<u16, String> {
    let admin = process.file("admin");
    let mut admin_port = None;
    process.until("Envoy's admin address", STARTING, || {
        admin_port = port_in(&fs::read_to_string(&admin).unwrap_or_default());
        admin_port.is_some()
    })?;
    let admin_port = admin_port.ok_or("Envoy's admin interface has no port")?;
    process.until("Envoy to be ready", STARTING, || {
        http::get(admin_port, "/ready").is_ok_and(|ready| ready.status == 200)
    })?;
    Ok(admin_port)
}

/// The port in `127.0.0.1:12345`.
pub(super) fn port_in(address: &str) -> Option<u16> {
    address.trim().rsplit(':').next()?.parse().ok()
}
