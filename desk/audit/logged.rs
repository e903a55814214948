//! The records in a line of a log: of Envoy's JSON file log, or of what an OpenTelemetry collector
//! writes to a file (OTLP as JSON lines).

use serde::Deserialize;
use serde_json::Value;

use crate::sessions::Entry as Record;

/// What says of a log record of OpenTelemetry that its body is a session record, or stands for one:
/// this attribute with this value.
const MARK: (&str, &str) = ("event.name", "portcullis.session");

/// A line of either log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    session: Option<Value>,
    #[serde(default)]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    #[serde(default)]
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    #[serde(default)]
    log_records: Vec<LogRecord>,
}

#[derive(Deserialize)]
struct LogRecord {
    body: Option<AnyValue>,
    #[serde(default)]
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize)]
struct KeyValue {
    key: String,
    value: Option<AnyValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyValue {
    string_value: Option<String>,
}

impl KeyValue {
    fn is_mark(&self) -> bool {
        let value = self
            .value
            .as_ref()
            .and_then(|one| one.string_value.as_ref());
        let (key, marked) = MARK;
        self.key == key && value.is_some_and(|value| value == marked)
    }
}

/// The records in a line, and what stands for records whose exchanges went on; none if it has none.
///
/// # Errors
/// What was expected in its place.
pub(super) fn records(text: &[u8]) -> Result<Vec<Record>, String> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let line: Line = serde_json::from_slice(text)
        .map_err(|error| format!("expected a JSON object (column {})", error.column()))?;
    let mut texts = Vec::new();
    match line.session {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => texts.push(text),
        // As a JSON object its members have lost their order, and it would not be the same record
        // as the one that came over gRPC.
        Some(_) => return Err("found another type in session, expected a string".to_owned()),
    }
    let scopes = line
        .resource_logs
        .into_iter()
        .flat_map(|one| one.scope_logs);
    for logged in scopes.flat_map(|one| one.log_records) {
        if logged.attributes.iter().any(KeyValue::is_mark) {
            let body = logged.body.and_then(|body| body.string_value);
            texts.push(body.ok_or("found another type in a body, expected a string")?);
        }
    }
    texts
        .iter()
        // Envoy writes these where there is none.
        .filter(|text| !text.is_empty() && *text != "-")
        .map(|text| {
            Record::read_logged(text.as_bytes())
                .map_err(|why| format!("expected a session record: {why}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RECORD: &str = r#"{"version":1,"id":"a1","worker":"b2","number":1,"time":"t"}"#;
    const OPEN: &str = r#"{"version":1,"id":"a2","worker":"b2","number":2,"open":true}"#;

    fn texts(line: &Value) -> Result<Vec<String>, String> {
        let read = records(line.to_string().as_bytes())?;
        Ok(read.into_iter().map(|record| record.text).collect())
    }

    #[test]
    fn a_line_has_records_or_none_or_is_malformed() {
        for session in [RECORD, OPEN] {
            let line = json!({ "status": 200, "session": session });
            assert_eq!(texts(&line).unwrap(), [session]);
        }
        for none in [
            "",
            "\n",
            r#"{"session":null}"#,
            r#"{"session":"-"}"#,
            r#"{"a":1}"#,
            r#"{"resourceLogs":[]}"#,
            r#"{"resourceSpans":[{"scopeSpans":[]}]}"#,
        ] {
            assert_eq!(records(none.as_bytes()), Ok(Vec::new()), "{none}");
        }
        for wrong in [
            "{",
            "[]",
            r#"{"session":"{}"}"#,
            r#"{"session":{"version":1}}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":7}]}]}]}"#,
        ] {
            assert!(records(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_collector_s_line_has_those_records_that_are_marked() {
        let marked = |body: Value| {
            json!({
                "timeUnixNano": "1581452773000000789",
                "body": body,
                "attributes": [
                    {"key": "host", "value": {"stringValue": "a"}},
                    {"key": "event.name", "value": {"stringValue": "portcullis.session"}},
                ],
            })
        };
        let line = |logged: Value| {
            let scopes = json!([{"scope": {}, "logRecords": logged}]);
            json!({"resourceLogs": [{"resource": {}, "scopeLogs": scopes}, {}]})
        };
        let others = json!({"body": {"stringValue": RECORD}, "attributes": [
            {"key": "event.name", "value": {"stringValue": "other"}},
            {"key": "other", "value": {"stringValue": "portcullis.session"}},
            {"key": "event.name", "value": {"intValue": "1"}},
            {"key": "event.name"},
        ]});
        let string = |text: &str| marked(json!({ "stringValue": text }));
        let all = json!([string(RECORD), others, string("-"), string(OPEN), {}]);
        assert_eq!(texts(&line(all)).unwrap(), [RECORD, OPEN]);
        for wrong in [
            json!({"kvlistValue": {"values": []}}),
            json!({"stringValue": "cut {"}),
            Value::Null,
        ] {
            let read = texts(&line(json!([marked(wrong.clone())])));
            assert!(read.is_err(), "{wrong}: {read:?}");
        }
    }
}
