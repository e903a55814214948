//! One session record: the filter's text, and the members by which records are found.

use std::fmt;

use prost::Message as _;
use serde::Deserialize;

use super::event::cut;
use super::messages::{Any, BytesValue, HttpAccessLogEntry};

/// The key in Envoy's filter state under which the filter leaves the record.
const STATE_KEY: &str = "wasm.portcullis.session";

/// The message type in which Envoy wraps a filter's bytes.
const WRAPPER: &str = "google.protobuf.BytesValue";

/// The most bytes of what stands for a record: names and a number.
const MAX_OPEN: usize = 256;

/// The longest id or worker, in characters.
const MAX_ID: usize = 64;

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
}

#[derive(Deserialize)]
struct Verdict {
    action: Option<String>,
    code: Option<String>,
    rule: Option<String>,
}

impl Entry {
    /// Takes the record out of a log entry; `None` if the filter left none, or left only what stands
    /// for it while the exchange goes on.
    ///
    /// # Errors
    /// Why what it left is not a record.
    pub fn take(mut logged: HttpAccessLogEntry) -> Option<Result<Self, Malformed>> {
        let common = logged.common_properties.as_mut()?;
        let state = common.filter_state_objects.remove(STATE_KEY)?;
        unwrap(state)
            .and_then(|bytes| Self::read_closed(&bytes))
            .transpose()
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
            text: String::new(),
        }
    }

    /// Reads a record's JSON; `None` if it is only what stands for a record.
    ///
    /// # Errors
    /// Why it is neither.
    pub fn read_closed(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        match is_open(bytes) {
            true => Ok(None),
            false => Self::read(bytes).map(Some),
        }
    }

    /// Reads a record's JSON.
    ///
    /// # Errors
    /// Why it is not a record.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let text = str::from_utf8(bytes).map_err(|_| Malformed::Text)?;
        let record: Record = serde_json::from_str(text)
            .map_err(|error| Malformed::Json(error.line(), error.column()))?;
        if record.version != 1 {
            return Err(Malformed::Version);
        }
        if !is_hex(&record.id) {
            return Err(Malformed::Member("id"));
        }
        if !is_hex(&record.worker) {
            return Err(Malformed::Member("worker"));
        }
        if record.time.len() > MAX_ID || !record.time.is_ascii() {
            return Err(Malformed::Member("time"));
        }
        let number = i64::try_from(record.number).map_err(|_| Malformed::Member("number"))?;
        let (action, code, rule) = record.verdict.map_or((None, None, None), |verdict| {
            (verdict.action, verdict.code, verdict.rule)
        });
        let (operation, model) = record
            .request
            .map_or((None, None), |request| (request.operation, request.model));
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
            text: text.to_owned(),
        })
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

/// Whether it stands for a record that will be: Envoy logs exchanges that go on, too.
fn is_open(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Open {
        open: bool,
    }
    // Most are not, and need not be read twice.
    bytes.len() <= MAX_OPEN && serde_json::from_slice::<Open>(bytes).is_ok_and(|one| one.open)
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_record_is_neither_a_record_nor_malformed() {
        let names = r#""version":1,"id":"0a","worker":"0b","number":7"#;
        let open = format!(r#"{{{names},"open":true}}"#);
        assert_eq!(Entry::read_closed(open.as_bytes()), Ok(None));
        let closed = format!(r#"{{{names},"time":"t"}}"#);
        let read = Entry::read_closed(closed.as_bytes()).unwrap().unwrap();
        assert_eq!((read.number, read.text), (7, closed));
        for wrong in [
            format!(r#"{{{names},"open":false}}"#),
            format!(r#"{{{names}}}"#),
            format!(r#"{{{names},"open":true}} {}"#, " ".repeat(MAX_OPEN)),
        ] {
            let read = Entry::read_closed(wrong.as_bytes());
            assert!(
                matches!(read, Err(Malformed::Json(..))),
                "{wrong}: {read:?}"
            );
        }
    }
}
