use serde_json::{Value, json};

use super::*;
use base::policy::{Document, Node};

/// What becomes of a detector's definition, and what is said about it.
fn read(definition: Value) -> (Option<Detector>, Vec<String>) {
    let value = json!({"mine": definition});
    let document = Document::new(&|_| None);
    let detectors = read_detectors(&Node::root(&document, &value, &DETECTORS));
    let problems = document.into_problems();
    let problems = problems.iter().map(ToString::to_string).collect();
    (detectors.into_iter().next(), problems)
}

#[test]
fn every_form_is_read() {
    let name = || "mine".to_owned();
    let label = || "L".to_owned();
    let cases = [
        (
            json!({"pattern": "E-[0-9]+", "label": "L"}),
            Detector::Pattern {
                name: name(),
                pattern: "E-[0-9]+".to_owned(),
                near: Vec::new(),
                label: label(),
            },
        ),
        (
            json!({"pattern": "[0-9]{6}", "near": ["badge", "employee no"], "label": "L"}),
            Detector::Pattern {
                name: name(),
                pattern: "[0-9]{6}".to_owned(),
                near: vec!["badge".to_owned(), "employee no".to_owned()],
                label: label(),
            },
        ),
        (
            json!({"words": ["Acme", "Jane Doe"], "label": "L"}),
            Detector::Words {
                name: name(),
                words: vec!["Acme".to_owned(), "Jane Doe".to_owned()],
                label: label(),
            },
        ),
        (
            json!({"canaries": ["zebra-7-quartz"], "label": "L"}),
            Detector::Canaries {
                name: name(),
                strings: vec!["zebra-7-quartz".to_owned()],
                label: label(),
            },
        ),
    ];
    for (definition, detector) in cases {
        assert_eq!(read(definition), (Some(detector), Vec::new()));
    }
}

#[test]
fn every_mistake_is_named_with_its_path() {
    let cases = [
        (
            json!({"label": "L"}),
            r#"/mine: found no "pattern", "words" or "canaries", expected one of them"#,
        ),
        (
            json!({"pattern": "a", "words": ["b"], "label": "L"}),
            r#"/mine: found "pattern" and "words", expected one of "pattern", "words" and "canaries""#,
        ),
        (
            json!({"words": ["b"], "canaries": ["planted-string"], "label": "L"}),
            r#"/mine: found "words" and "canaries", expected one of "pattern", "words" and "canaries""#,
        ),
        (
            json!({"pattern": "a"}),
            r#"/mine: found no key "label", expected it to be there"#,
        ),
        (
            json!({"pattern": "a", "label": "a b"}),
            r#"/mine/label: found "a b", expected at most 64 letters, digits, underscores and dashes"#,
        ),
        (
            json!({"pattern": 7, "label": "L"}),
            "/mine/pattern: found 7, expected a string",
        ),
        (
            json!({"pattern": "a", "near": [], "label": "L"}),
            "/mine/near: found an empty list, expected at least one item",
        ),
        (
            json!({"pattern": "a", "near": ["fine", ""], "label": "L"}),
            "/mine/near/1: found an empty string, expected a string",
        ),
        (
            json!({"pattern": "a", "near": ["x".repeat(49)], "label": "L"}),
            "/mine/near/0: found 49 bytes, expected a word of at most 48 bytes",
        ),
        (
            json!({"pattern": "a", "near": vec!["x"; 65], "label": "L"}),
            "/mine/near: found 65 words, expected at most 64",
        ),
        (
            json!({"words": ["a"], "near": ["b"], "label": "L"}),
            r#"/mine/near: found "near" without "pattern", expected it beside a pattern only"#,
        ),
        (
            json!({"words": vec!["a"; 100_001], "label": "L"}),
            "/mine/words: found 100001 words, expected at most 100000",
        ),
        (
            json!({"canaries": ["planted-string", "short"], "label": "L"}),
            "/mine/canaries/1: found 5 bytes, expected a canary of 8 to 256 bytes",
        ),
        (
            json!({"canaries": ["x".repeat(257)], "label": "L"}),
            "/mine/canaries/0: found 257 bytes, expected a canary of 8 to 256 bytes",
        ),
        (
            json!({"canaries": vec!["planted-string"; 1001], "label": "L"}),
            "/mine/canaries: found 1001 canaries, expected at most 1000",
        ),
        (
            json!({"canaries": {"strings": []}, "label": "L"}),
            "/mine/canaries: found an object, expected a list",
        ),
        (
            json!({"pattern": "a", "label": "L", "flags": "i"}),
            r#"/mine/flags: found the unknown key "flags", expected "canaries", "label", "near", "pattern" or "words""#,
        ),
    ];
    for (definition, problem) in cases {
        assert_eq!(read(definition).1, [problem]);
    }
}

#[test]
fn the_names_of_built_in_detectors_are_taken() {
    let value = json!({"email": {"pattern": "a", "label": "L"}});
    let document = Document::new(&|_| None);
    let _ = read_detectors(&Node::root(&document, &value, &DETECTORS));
    let problems = document.into_problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "/email");
}
