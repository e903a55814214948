//! Every dialect's samples: requests as its reference has them, with what must be told from each, and
//! that each line of its file is needed for that.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use base::operation::{Model, UNKNOWN};
use base::usage::Usage;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::body::PROBE;
use super::catalog::{Routes, read};
use super::usage::UsageReader;
use super::{BodyHead, DIALECTS, Dialect, Facts, FactsError, Found};

/// What is told of a request.
#[derive(Debug, PartialEq)]
struct Told {
    operation: String,
    model: Value,
    others: Value,
    items: Value,
    unread: bool,
    usage: Usage,
    texts: BTreeSet<Vec<u8>>,
    /// What was taken for running text, documents, and sound or pictures.
    probe: Vec<(&'static str, String)>,
}

fn routes(dialect: &'static Dialect, text: &str) -> Routes {
    let mut routes = Routes::default();
    // What a line that was taken out leaves wrong changes what is told.
    for route in read(dialect, text).into_iter().flatten() {
        let _ = routes.add(route);
    }
    routes
}

fn segments(path: &str) -> Vec<String> {
    let path = path.split('?').next().unwrap();
    let decoded = |segment: &str| segment.replace("%3A", ":").replace("%2F", "/");
    path.split('/').skip(1).map(decoded).collect()
}

fn found(routes: &Routes, method: &str, path: &str) -> Option<Found> {
    let segments = segments(path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    routes.find(method, &segments)
}

const BOUNDARY: &str = "boundary-of-a-sample";

/// The body of a sample, and what its head says of it.
fn body(sample: &Sample) -> (BodyHead, Vec<u8>) {
    let mut head = BodyHead {
        media: Some("application/json".to_owned()),
        ..BodyHead::default()
    };
    let headers = sample["headers"].as_object();
    for (name, value) in headers.into_iter().flatten() {
        let value = value.as_str().unwrap();
        match name.to_ascii_lowercase().as_str() {
            "content-type" => head.media = Some(value.split(';').next().unwrap().to_owned()),
            "inference-header-content-length" => head.json_bytes = value.parse().ok(),
            _ => {}
        }
    }
    if let Some(hex) = sample["hex"].as_str() {
        head.media = Some("application/grpc".to_owned());
        return (head, unhex(hex));
    }
    if let Some(lines) = sample["lines"].as_array() {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        return (head, lines.join("\n").into_bytes());
    }
    if let Some(parts) = sample["parts"].as_array() {
        head.media = Some("multipart/form-data".to_owned());
        head.boundary = Some(BOUNDARY.to_owned());
        let mut body = String::new();
        for part in parts {
            let name = part["name"].as_str().unwrap();
            body.push_str(&format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\""
            ));
            if let Some(file) = part["filename"].as_str() {
                body.push_str(&format!("; filename=\"{file}\""));
            }
            if let Some(media) = part["type"].as_str() {
                body.push_str(&format!("\r\ncontent-type: {media}"));
            }
            body.push_str("\r\n\r\n");
            body.push_str(part["value"].as_str().unwrap_or_default());
            body.push_str("\r\n");
        }
        body.push_str(&format!("--{BOUNDARY}--\r\n"));
        return (head, body.into_bytes());
    }
    match &sample["body"] {
        Value::Null => (head, Vec::new()),
        Value::String(text) if head.media.as_deref() != Some("application/json") => {
            (head, text.clone().into_bytes())
        }
        _ => (head, sample.body().into_bytes()),
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn query_values<'a>(path: &'a str, names: &[String]) -> Vec<&'a str> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| names.iter().any(|known| known == name))
        .map(|(_, value)| value)
        .collect()
}

fn tell(routes: &Routes, sample: &Sample) -> Result<Told, String> {
    let method = sample["method"].as_str().unwrap();
    let path = sample["path"].as_str().unwrap();
    let found = found(routes, method, path).ok_or("no route")?;
    let (head, body) = body(sample);
    let mut texts = BTreeSet::new();
    let mut see = |text: &[u8]| {
        texts.insert(text.to_vec());
    };
    let own = &found.route.body;
    PROBE.take();
    let facts: Result<Facts, FactsError> = if own.grpc().is_some() {
        own.take_message(&body, Some(&mut see))
    } else {
        own.take(&head, &body, Some(&mut see))
    };
    let facts = facts.map_err(|error| format!("{error:?}"))?;
    let parameter = query_values(path, found.route.model_parameters());
    let times = query_values(path, found.route.times_parameters());
    let times = times.iter().filter_map(|value| value.parse().ok()).max();
    let named = found
        .model
        .or(parameter.first().map(|name| (*name).to_owned()));
    let model = match (named, facts.model) {
        (Some(name), _) | (None, Model::Named(name)) => Value::String(name),
        (None, Model::Nothing) => Value::Null,
        (None, Model::Unnamed) => json!("?"),
    };

    let mut reader = UsageReader::default();
    let answers = sample["answers"].as_array().cloned().unwrap_or_default();
    for answer in answers.iter().chain(sample.get("answer")) {
        if let Some(places) = own.usage() {
            reader.begin();
            reader.push(places, answer.to_string().as_bytes());
        }
    }
    let items = facts.items.map(|items| items * times.unwrap_or(1));
    Ok(Told {
        operation: if own.names_operation() {
            facts.operation.unwrap_or(UNKNOWN).to_owned()
        } else {
            found.route.operation.to_owned()
        },
        model,
        others: json!(facts.others),
        items: items.map_or(Value::Null, Value::from),
        unread: facts.unread,
        usage: reader.usage(),
        texts,
        probe: PROBE.take(),
    })
}

/// What texts are taken for besides; a sample says which are.
const KINDS: [&str; 3] = ["running", "files", "media"];

/// What is wrong with what is told of a sample.
fn wrong(routes: &Routes, sample: &Sample) -> Option<String> {
    let told = match tell(routes, sample) {
        Ok(told) => told,
        Err(error) => return Some(error),
    };
    let mut wrong = Vec::new();
    let mut check = |what: &str, got: &Value, expected: &Value| {
        if got != expected {
            wrong.push(format!("{what} is {got}, expected {expected}"));
        }
    };
    check("operation", &json!(told.operation), &sample["operation"]);
    check("model", &told.model, &sample["model"]);
    let none = json!([]);
    check(
        "others",
        &told.others,
        sample.get("others").unwrap_or(&none),
    );
    check("items", &told.items, &sample["items"]);
    let unread = sample["unread"].as_bool().unwrap_or_default();
    check("unread", &json!(told.unread), &json!(unread));
    let expected = &sample["usage"];
    for (name, count) in [
        ("input", told.usage.input),
        ("output", told.usage.output),
        ("cached", told.usage.cached),
        ("total", told.usage.total),
    ] {
        check(name, &json!(count), &expected[name]);
    }
    for kind in KINDS {
        let own = told.probe.iter().filter(|(own, _)| *own == kind);
        let texts: Vec<&str> = own.map(|(_, text)| text.as_str()).collect();
        let none = json!([]);
        check(kind, &json!(texts), sample.get(kind).unwrap_or(&none));
    }
    for text in sample["texts"].as_array().into_iter().flatten() {
        let text = text.as_str().unwrap();
        if text.is_empty() {
            continue;
        }
        let inside = |seen: &Vec<u8>| {
            let seen = String::from_utf8_lossy(seen);
            seen.contains(text)
        };
        if !told.texts.contains(text.as_bytes()) && !told.texts.iter().any(inside) {
            wrong.push(format!("{text:?} is not seen"));
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

/// A sample, and its text: a tree would have members in another order.
struct Sample {
    value: Value,
    text: Box<RawValue>,
}

impl core::ops::Deref for Sample {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl Sample {
    /// The body as it is written.
    fn body(&self) -> String {
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(self.text.get()).unwrap();
        members["body"].get().to_owned()
    }
}

/// A dialect's samples.
struct Samples {
    routes: Vec<Value>,
    requests: Vec<Sample>,
}

fn samples(dialect: &Dialect) -> Samples {
    let file = format!(
        "{}/filter/dialect/{}/samples.json",
        env!("CARGO_MANIFEST_DIR"),
        dialect.name
    );
    let text = std::fs::read_to_string(file).unwrap();
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap();
    let requests: Vec<Box<RawValue>> = serde_json::from_str(members["requests"].get()).unwrap();
    Samples {
        routes: serde_json::from_str(members["routes"].get()).unwrap(),
        requests: requests
            .into_iter()
            .map(|text| Sample {
                value: serde_json::from_str(text.get()).unwrap(),
                text,
            })
            .collect(),
    }
}

/// What is wrong with a dialect's samples, by its own routes alone.
fn faults(routes: &Routes, samples: &Samples) -> Vec<String> {
    let mut faults = Vec::new();
    for line in &samples.routes {
        let [method, path, operation] =
            [&line[0], &line[1], &line[2]].map(|it| it.as_str().unwrap());
        let got = found(routes, method, path);
        let got = got.map(|found| (found.route.operation, found.model));
        let expected = (operation, line[3].as_str().map(str::to_owned));
        if got.as_ref() != Some(&expected) {
            faults.push(format!("{method} {path}: {got:?}, expected {expected:?}"));
        }
    }
    for sample in &samples.requests {
        if let Some(wrong) = wrong(routes, sample) {
            let (method, path, body) = (&sample["method"], &sample["path"], &sample["body"]);
            faults.push(format!("{method} {path} {body}: {wrong}"));
        }
    }
    faults
}

#[test]
fn each_dialect_tells_of_its_samples_what_its_reference_says() {
    let mut all = Vec::new();
    for dialect in DIALECTS {
        for fault in faults(&routes(dialect, dialect.routes), &samples(dialect)) {
            all.push(format!("{}: {fault}", dialect.name));
        }
    }
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

/// With this variable in the environment, every word of every dialect is tried, and not one in seven.
const ALL: &str = "PORTCULLIS_ALL_SAMPLES";

/// A word that no sample needs says nothing, or is not tried by any.
#[test]
fn each_word_of_each_dialect_is_needed() {
    let step = if env::var_os(ALL).is_some() { 1 } else { 7 };
    let mut idle = Vec::new();
    let mut tried = 0usize;
    for dialect in DIALECTS {
        let samples = samples(dialect);
        let whole = dialect.routes;
        let known = faults(&routes(dialect, whole), &samples).len();
        for (start, word) in words(whole) {
            tried += 1;
            if !tried.is_multiple_of(step) {
                continue;
            }
            let (before, behind) = whole.split_at(start);
            let without = format!("{before}{}", behind.strip_prefix(word).unwrap());
            if faults(&routes(dialect, &without), &samples).len() == known {
                let line = before.lines().count();
                idle.push(format!("{}, line {line}: {word}", dialect.name));
            }
        }
    }
    assert!(idle.is_empty(), "{} idle:\n{}", idle.len(), idle.join("\n"));
}

/// The places that a file names, and the operations of its routes, each with where it begins.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indented = line.starts_with(' ');
        let mut at = start;
        for (index, word) in line.split(' ').enumerate() {
            let trimmed = word.trim_end();
            let place = indented && index > 1 && !trimmed.is_empty();
            let operation = !indented && index == 2 && !line.starts_with("body ");
            if (place && trimmed != "server") || operation {
                words.push((at, trimmed));
            }
            at += word.len() + 1;
        }
        start += line.len();
    }
    words
}

/// Writes what is told of running text, documents and media into the samples: to be read before it is
/// kept.
#[test]
#[ignore = "it writes"]
fn write_kinds() {
    for dialect in DIALECTS {
        let routes = routes(dialect, dialect.routes);
        for (index, sample) in samples(dialect).requests.iter().enumerate() {
            let Ok(told) = tell(&routes, sample) else {
                continue;
            };
            let mut kinds = serde_json::Map::new();
            for (kind, text) in told.probe {
                let texts = kinds.entry(kind).or_insert_with(|| json!([]));
                texts.as_array_mut().unwrap().push(json!(text));
            }
            println!("KINDS {} {index} {}", dialect.name, Value::Object(kinds));
        }
    }
}
