//! One session record: the filter's text, and the members by which records are found.

use std::collections::BTreeMap;
use std::fmt;

use prost::Message as _;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::event::cut;
use super::messages::{Any, BytesValue, HttpAccessLogEntry};
use crate::quotas::Charged;

/// The key in Envoy's filter state under which the filter leaves the record.
const STATE_KEY: &str = "wasm.portcullis.session";

/// The message type in which Envoy wraps a filter's bytes.
const WRAPPER: &str = "google.protobuf.BytesValue";

/// The most bytes of what stands for a record: names and a number.
const MAX_OPEN: usize = 256;

/// The longest id or worker, in characters.
const MAX_ID: usize = 64;

/// The longest name of a detector that a record is found by, in bytes.
const MAX_DETECTOR: usize = 128;

/// How many detectors a record is found by; what a policy may name is more, what one exchange meets isn't.
const MAX_FOUND: usize = 32;

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The exchange's id.
    pub id: String,
    /// When the request came.
    pub time: String,
    /// The verified subject.
    pub subject: Option<String>,
    /// The operation's name.
    pub operation: Option<String>,
    /// What was decided.
    pub action: Option<String>,
    /// Why the request was refused.
    pub code: Option<String>,
    /// The model that was asked for.
    pub model: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// The VM that wrote it.
    pub worker: String,
    /// Its number among that VM's records.
    pub number: i64,
    /// SHA-256 of the policy, in hex, if that is what stands there.
    pub policy: Option<String>,
    /// The id of Envoy's node, cut to a bound.
    pub node: Option<String>,
    /// The detectors that found something, in either direction; at most [`MAX_FOUND`].
    pub found: Vec<String>,
    /// What it says of quotas.
    pub charges: Vec<Charged>,
    /// Whether it only stands for a record that will be: its exchange went on when it was logged.
    pub open: bool,
    /// The record as it came.
    pub text: String,
}

/// Why something is not a session record. Nothing of it is quoted: it may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Not an encoded `BytesValue`.
    Wrapper,
    /// Not UTF-8.
    Text,
    /// Not the JSON of a record, from this line and column on.
    Json(usize, usize),
    /// Of a version that is not known here.
    Version,
    /// A member with a value that it can't have.
    Member(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrapper => write!(formatter, "it is not a {WRAPPER}"),
            Self::Text => formatter.write_str("it is not UTF-8"),
            Self::Json(line, column) => write!(
                formatter,
                "it is not a record's JSON at line {line}, column {column}"
            ),
            Self::Version => formatter.write_str("its version is not 1"),
            Self::Member(name) => write!(formatter, "its {name:?} is out of range"),
        }
    }
}

#[derive(Deserialize)]
struct Record {
    version: u64,
    id: String,
    worker: String,
    number: u64,
    time: String,
    identity: Option<Identity>,
    request: Option<Request>,
    verdict: Option<Verdict>,
    response: Option<Response>,
    policy: Option<String>,
    mesh: Option<Mesh>,
}

#[derive(Deserialize)]
struct Mesh {
    node: Option<String>,
}

#[derive(Deserialize)]
struct Identity {
    subject: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    operation: Option<String>,
    model: Option<String>,
    matches: Option<Counts>,
    alerts: Option<Counts>,
}

#[derive(Deserialize)]
struct Response {
    code: Option<String>,
    matches: Option<Counts>,
    alerts: Option<Counts>,
}

/// How often each detector found something.
type Counts = BTreeMap<String, IgnoredAny>;

#[derive(Default, Deserialize)]
struct Verdict {
    action: Option<String>,
    code: Option<String>,
    rule: Option<String>,
    #[serde(default)]
    charges: Vec<Charged>,
}

impl Entry {
    /// Takes the record out of a log entry, or what stands for it; `None` if the filter left none.
    ///
    /// # Errors
    /// Why what it left is not a record.
    pub fn take(mut logged: HttpAccessLogEntry) -> Option<Result<Self, Malformed>> {
        let common = logged.common_properties.as_mut()?;
        let state = common.filter_state_objects.remove(STATE_KEY)?;
        Some(unwrap(state).and_then(|bytes| Self::read_logged(&bytes)))
    }

    /// All of it but the text.
    #[must_use]
    pub fn without_text(&self) -> Self {
        Self {
            id: self.id.clone(),
            time: self.time.clone(),
            subject: self.subject.clone(),
            operation: self.operation.clone(),
            action: self.action.clone(),
            code: self.code.clone(),
            model: self.model.clone(),
            rule: self.rule.clone(),
            worker: self.worker.clone(),
            number: self.number,
            policy: None,
            node: None,
            found: self.found.clone(),
            charges: Vec::new(),
            open: self.open,
            text: String::new(),
        }
    }

    /// What says that a worker has given this number, and the ones before it, to records.
    ///
    /// # Errors
    /// Why it can't be one.
    pub fn given(worker: &str, number: u64) -> Result<Self, Malformed> {
        if !is_hex(worker) {
            return Err(Malformed::Member("worker"));
        }
        let text =
            format!("{{\"version\":1,\"worker\":\"{worker}\",\"number\":{number},\"given\":true}}");
        Self::read_logged(text.as_bytes())
    }

    /// Reads what Envoy logs: a record's JSON, or what stands for it while the exchange goes on.
    ///
    /// # Errors
    /// Why it is neither.
    pub fn read_logged(bytes: &[u8]) -> Result<Self, Malformed> {
        // Most are records, and need not be read twice.
        let open = (bytes.len() <= MAX_OPEN)
            .then(|| serde_json::from_slice::<Open>(bytes).ok())
            .flatten()
            .filter(|open| open.open || open.given);
        let Some(open) = open else {
            return Self::read(bytes);
        };
        let text = str::from_utf8(bytes).map_err(|_| Malformed::Text)?;
        // A number that was given is nobody's yet.
        let id = if open.given { "0" } else { &open.id };
        let number = named(open.version, id, &open.worker, open.number)?;
        Ok(Self {
            id: open.id,
            time: String::new(),
            subject: None,
            operation: None,
            action: None,
            code: None,
            model: None,
            rule: None,
            worker: open.worker,
            number,
            policy: None,
            node: None,
            found: Vec::new(),
            charges: Vec::new(),
            open: true,
            text: text.to_owned(),
        })
    }

    /// Reads a record's JSON.
    ///
    /// # Errors
    /// Why it is not a record.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let text = str::from_utf8(bytes).map_err(|_| Malformed::Text)?;
        let record: Record = serde_json::from_str(text)
            .map_err(|error| Malformed::Json(error.line(), error.column()))?;
        let number = named(record.version, &record.id, &record.worker, record.number)?;
        if record.time.len() > MAX_ID || !record.time.is_ascii() {
            return Err(Malformed::Member("time"));
        }
        let verdict = record.verdict.unwrap_or_default();
        let (action, mut code, rule) = (verdict.action, verdict.code, verdict.rule);
        let mut found = Vec::new();
        let (operation, model) = record.request.map_or((None, None), |request| {
            note(request.matches, &mut found);
            note(request.alerts, &mut found);
            (request.operation, request.model)
        });
        if let Some(response) = record.response {
            // Of an exchange whose request passed, why its answer didn't.
            code = code.or(response.code);
            note(response.matches, &mut found);
            note(response.alerts, &mut found);
        }
        Ok(Self {
            id: record.id,
            time: record.time,
            subject: record.identity.and_then(|identity| identity.subject),
            operation,
            action,
            code,
            model,
            rule,
            worker: record.worker,
            number,
            policy: record.policy.filter(|policy| is_hex(policy)),
            node: record.mesh.and_then(|mesh| mesh.node).as_deref().map(cut),
            found,
            charges: verdict.charges,
            open: false,
            text: text.to_owned(),
        })
    }
}

/// Notes the names of detectors.
fn note(counts: Option<Counts>, found: &mut Vec<String>) {
    for name in counts.unwrap_or_default().into_keys() {
        if found.len() < MAX_FOUND && name.len() <= MAX_DETECTOR && !found.contains(&name) {
            found.push(name);
        }
    }
}

fn unwrap(state: Any) -> Result<prost::bytes::Bytes, Malformed> {
    let named = state.type_url.rsplit('/').next() == Some(WRAPPER);
    if !named {
        return Err(Malformed::Wrapper);
    }
    BytesValue::decode(state.value)
        .map(|wrapped| wrapped.value)
        .map_err(|_| Malformed::Wrapper)
}

/// What stands for a record until its exchange is over.
#[derive(Deserialize)]
struct Open {
    version: u64,
    #[serde(default)]
    id: String,
    worker: String,
    number: u64,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    given: bool,
}

/// What a record is known by, if it can be: returns its number.
fn named(version: u64, id: &str, worker: &str, number: u64) -> Result<i64, Malformed> {
    if version != 1 {
        return Err(Malformed::Version);
    }
    if !is_hex(id) {
        return Err(Malformed::Member("id"));
    }
    if !is_hex(worker) {
        return Err(Malformed::Member("worker"));
    }
    i64::try_from(number).map_err(|_| Malformed::Member("number"))
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_its_last_approval_only_is_read_like_one_with_all() {
        let names = r#""version":1,"id":"0a","worker":"0b","number":7,"time":"t""#;
        let approval = r#"{"id":"apr_1","state":"approved","rule":"r"}"#;
        for approvals in [
            r#""approval":null"#.to_owned(),
            format!(r#""approval":{approval}"#),
            r#""approvals":[]"#.to_owned(),
            format!(r#""approvals":[{approval},{approval}]"#),
        ] {
            let text = format!("{{{names},{approvals}}}");
            let read = Entry::read_logged(text.as_bytes()).unwrap();
            assert_eq!((read.number, read.text), (7, text));
        }
    }

    #[test]
    fn a_code_is_why_a_request_or_else_its_answer_was_refused() {
        let names = r#""version":1,"id":"0a","worker":"0b","number":7,"time":"t""#;
        let code = |verdict: &str, response: &str| {
            let text = format!(
                r#"{{{names},"verdict":{{"code":{verdict}}},"response":{{"code":{response}}}}}"#
            );
            Entry::read(text.as_bytes()).unwrap().code
        };
        assert_eq!(
            code("null", r#""match_withheld""#).as_deref(),
            Some("match_withheld")
        );
        assert_eq!(code(r#""denied""#, "null").as_deref(), Some("denied"));
        assert_eq!(code("null", "null"), None);
    }

    #[test]
    fn what_stands_for_a_record_is_told_from_one() {
        let names = r#""version":1,"id":"0a","worker":"0b","number":7"#;
        let open = format!(r#"{{{names},"open":true}}"#);
        let read = Entry::read_logged(open.as_bytes()).unwrap();
        assert_eq!((read.open, read.number, read.text), (true, 7, open.clone()));
        assert!(Entry::read(open.as_bytes()).is_err(), "it is no record");
        let closed = format!(r#"{{{names},"time":"t"}}"#);
        let read = Entry::read_logged(closed.as_bytes()).unwrap();
        assert_eq!((read.open, read.number, read.text), (false, 7, closed));
        for wrong in [
            format!(r#"{{{names},"open":false}}"#),
            format!(r#"{{{names}}}"#),
            format!(r#"{{{names},"open":true}} {}"#, " ".repeat(MAX_OPEN)),
        ] {
            let read = Entry::read_logged(wrong.as_bytes());
            assert!(
                matches!(read, Err(Malformed::Json(..))),
                "{wrong}: {read:?}"
            );
        }
        let other = open.replace("0b", "no worker");
        let read = Entry::read_logged(other.as_bytes());
        assert_eq!(read, Err(Malformed::Member("worker")));
    }
}
