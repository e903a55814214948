//! The document is what it says, and its examples are right.

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::{document, operations};
use crate::approvals::protocol::Question;

/// A validator for one schema of the document.
fn validator(document: &Value, schema: &Value) -> Validator {
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document["components"],
        "allOf": [schema],
    });
    jsonschema::draft202012::new(&whole).unwrap()
}

/// Every `content` of JSON below a value, with its place.
fn contents<'d>(at: &str, value: &'d Value, found: &mut Vec<(String, &'d Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = format!("{at}/{name}");
                match (name.as_str(), member.get("application/json")) {
                    ("content", Some(content)) => found.push((at, content)),
                    _ => contents(&at, member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| contents(at, item, found)),
        _ => {}
    }
}

#[test]
fn the_stored_copy_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/approvals.openapi.json");
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == super::print().output,
        "schema/approvals.openapi.json is stale: cargo run -p portcullis-desk -- openapi > schema/approvals.openapi.json"
    );
}

#[test]
fn every_body_has_an_example_and_each_is_right() {
    let document = document();
    let mut found = Vec::new();
    contents("", &document["paths"], &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for (at, content) in found {
        let validator = validator(&document, &content["schema"]);
        let examples = content["examples"].as_object().unwrap();
        assert!(!examples.is_empty(), "{at}");
        for (name, example) in examples {
            if let Err(error) = validator.validate(&example["value"]) {
                panic!("{at}: {name}: {}: {error}", error.instance_path());
            }
        }
    }
}

#[test]
fn what_is_not_right_is_told() {
    let document = document();
    let schema = json!({ "$ref": "#/components/schemas/Question" });
    let validator = validator(&document, &schema);
    let right = super::examples::question();
    assert!(validator.is_valid(&right));
    for (name, wrong) in [
        ("binding", json!("9F86")),
        ("asker", json!(7)),
        ("approvals", json!(0)),
        ("about", json!("weather")),
        ("reviewers", json!([])),
        ("grant", json!({ "uses": 3 })),
    ] {
        let mut changed = right.clone();
        changed[name] = wrong;
        assert!(!validator.is_valid(&changed), "{name}");
    }
    let mut newer = right;
    newer["surprise"] = json!(true);
    assert!(validator.is_valid(&newer), "a filter may be newer");
}

#[test]
fn what_a_question_must_have_is_what_the_desk_demands() {
    let document = document();
    let schema = json!({ "$ref": "#/components/schemas/Question" });
    let validator = validator(&document, &schema);
    let whole = super::examples::question();
    let taken = |question: Value| {
        serde_json::from_value::<Question>(question).is_ok_and(|question| question.check().is_ok())
    };
    assert!(taken(whole.clone()));
    for name in whole.as_object().unwrap().keys() {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(validator.is_valid(&without), taken(without), "{name}");
    }
}

#[test]
fn names_are_used_once_and_every_schema_is() {
    let ids: Vec<&str> = operations().map(|one| one.id).collect();
    let once: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), once.len());
    let document = document();
    let text = document.to_string();
    let schemas: &Map<String, Value> = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        let reference = format!("\"#/components/schemas/{name}\"");
        assert!(text.contains(&reference), "{name} is used nowhere");
    }
}
