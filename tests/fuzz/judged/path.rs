//! Whatever a path is, the server sees what was judged.

use base::operation::OPERATIONS;
use portcullis::dialect::Routes;
use portcullis::operation::{Path, name, normalize};

use super::catalog;
use super::samples;

const METHODS: [&str; 5] = ["POST", "GET", "DELETE", "PUT", "HEAD"];

/// Checks the path behind the first byte, which says the method.
///
/// # Panics
/// When something does not hold.
pub fn check(data: &[u8]) {
    let Some((method, raw)) = data.split_first() else {
        return;
    };
    let Ok(path) = normalize(raw) else {
        return;
    };
    let sent = path.to_header();
    let again = normalize(sent.as_bytes()).expect("what is sent is normal");
    assert_eq!(again, path, "{sent} is sent");
    let normal = normalize(path.path.as_bytes()).expect("the normal form is normal");
    assert_eq!(normal.path, path.path, "the normal form of the normal form");
    assert_eq!(normal.query, None, "{} has a query", path.path);
    let (sent_path, _) = split(sent.as_bytes());
    let (raw_path, _) = split(raw);
    assert_eq!(
        segments(sent_path),
        segments(raw_path),
        "a server sees other segments in {sent}"
    );
    let whole = [b"/".as_slice(), &segments(raw_path).join(&b'/')].concat();
    assert_eq!(decoded(path.path.as_bytes()), whole, "for {sent}");
    no_other_method(&sent);
    is_named(METHODS[usize::from(*method) % METHODS.len()], &path, &whole);
}

fn is_named(method: &str, path: &Path, whole: &[u8]) {
    let Ok(asked) = name(&Routes::default(), method, path) else {
        return;
    };
    assert!(OPERATIONS.contains(&asked.name), "{}", asked.name);
    assert!(asked.times > 0, "nothing is asked for");
    let Some(model) = asked.model.name() else {
        return;
    };
    assert!(!model.is_empty(), "a model without a name");
    let within = |text: &[u8]| {
        text.windows(model.len())
            .any(|bytes| bytes == model.as_bytes())
    };
    assert!(
        within(whole) || path.query.is_some(),
        "{model:?} is not in {path:?}"
    );
}

fn plus(byte: &u8) -> u8 {
    if *byte == b'+' { b' ' } else { *byte }
}

fn split(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match raw.iter().position(|byte| *byte == b'?') {
        Some(at) => (&raw[..at], Some(&raw[at + 1..])),
        None => (raw, None),
    }
}

/// The segments as a server has them that takes a path apart, undoes the escapes, and then goes
/// where the dots lead.
fn segments(path: &[u8]) -> Vec<Vec<u8>> {
    let mut segments: Vec<Vec<u8>> = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        let segment = decoded(segment);
        match segment.as_slice() {
            b"" | b"." => {}
            b".." => {
                segments.pop().expect("it stays below the root");
            }
            _ => segments.push(segment),
        }
    }
    segments
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let escape = digit(at + 1).zip(digit(at + 2));
        if let (b'%', Some((high, low))) = (text[at], escape) {
            bytes.push(u8::try_from(high * 16 + low).expect("two digits"));
            at += 3;
        } else {
            bytes.push(text[at]);
            at += 1;
        }
    }
    bytes
}

/// No parameter of the query is one by which frameworks let a request say another method.
fn no_other_method(sent: &str) {
    let (_, query) = split(sent.as_bytes());
    let pairs = query.unwrap_or_default();
    for pair in pairs.split(|byte| matches!(byte, b'&' | b';')) {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name: Vec<u8> = name.iter().map(plus).collect();
        for name in [decoded(&name), decoded(&decoded(&name))] {
            let name = String::from_utf8_lossy(&name);
            // PHP drops blanks in front, ends a name at a NUL, and writes other characters so.
            let name = name.split('\0').next().unwrap_or_default();
            let name = name.trim_start_matches(' ').replace(['.', ' ', '['], "_");
            assert!(!name.eq_ignore_ascii_case("_method"), "{sent}");
        }
    }
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut paths: Vec<String> = [
        "//v1///models/",
        "/v1/./x/../models",
        "/v1/%6dodels",
        "/v1/%2e%2E/v1/models/acme%2Fsmall-1",
        "/v1/models/acme%2fsmall-1?model=a&_method=DELETE;x=%2e",
        "/v1/models/caf%c3%a9",
        "/a%252fb%00;%5c\\#*",
        "/V1/Chat/completions",
        "/static/model.safetensors?file=a.gguf",
        "/v1/files?.method=GET&[_method]=GET&+_method=GET&_method%00=GET&method=GET",
        "/openai/deployments/m/chat/completions?api-version=1",
    ]
    .map(str::to_owned)
    .to_vec();
    let catalog = catalog::all();
    let cases = catalog.bodies.iter().chain(&catalog.messages);
    paths.extend(cases.map(|case| case.path.clone()));
    paths.extend(samples::all().into_iter().map(|sample| sample.path));
    paths.sort();
    paths.dedup();
    let seed = |path: &String| [b"\0", path.as_bytes()].concat();
    paths.iter().map(seed).collect()
}
