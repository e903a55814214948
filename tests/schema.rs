//! The policy's schema and its reference say what the filter does.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may fail them"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use portcullis::exchange::CompiledPolicy;
use portcullis::policy::{reference, schema};
use serde_json::{Map, Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// What is wrong with a policy, by the filter's own code.
fn problems(policy: &Value) -> Vec<String> {
    // Long enough for any key, and in base64url.
    let secret = |_: &str| Some("A".repeat(43));
    match CompiledPolicy::load(&policy.to_string(), &secret) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|one| one.path).collect(),
    }
}

/// A policy in which every key of the form stands at least once.
fn everything() -> Value {
    serde_json::from_str(include_str!("policies/everything.json")).unwrap()
}

#[test]
fn the_stored_copies_are_fresh() {
    for (file, command, printed) in [
        (
            "schema/policy.schema.json",
            "schema",
            format!("{:#}\n", schema()),
        ),
        ("docs/policy.md", "reference", reference()),
    ] {
        assert!(
            read(file) == printed,
            "{file} is stale: cargo run -p portcullis-desk -- {command} > {file}"
        );
    }
}

#[test]
fn the_examples_are_what_the_schema_says() {
    let validator = validator();
    for entry in fs::read_dir(root().join("examples/policies")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let policy = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            if let Err(error) = validator.validate(&policy) {
                panic!("{}: {}: {error}", path.display(), error.instance_path());
            }
        }
    }
}

/// The names of all properties under a part of a schema, each with its place.
fn described(at: &Value, schema: &Value, place: &str, all: &mut BTreeSet<String>) {
    if let Some(reference) = at["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        // What has a name is described once, wherever it stands.
        if all.insert(format!("<{name}>")) {
            described(&schema["$defs"][name], schema, &format!("<{name}>"), all);
        }
    }
    for (name, inner) in at["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        all.insert(place.clone());
        described(inner, schema, &place, all);
    }
    if at["additionalProperties"].is_object() {
        described(
            &at["additionalProperties"],
            schema,
            &format!("{place}/*"),
            all,
        );
    }
    if at["items"].is_object() {
        described(&at["items"], schema, &format!("{place}/0"), all);
    }
    for inner in at["anyOf"].as_array().into_iter().flatten() {
        described(inner, schema, place, all);
    }
}

/// The places of a schema that a value uses.
fn used(value: &Value, at: &Value, schema: &Value, place: &str, all: &mut BTreeSet<String>) {
    if let Some(reference) = at["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        let place = format!("<{name}>");
        all.insert(place.clone());
        used(value, &schema["$defs"][name], schema, &place, all);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let known = &at["properties"][name];
        if known.is_object() {
            let place = format!("{place}/{name}");
            all.insert(place.clone());
            used(inner, known, schema, &place, all);
        } else if at["additionalProperties"].is_object() {
            let place = format!("{place}/*");
            used(inner, &at["additionalProperties"], schema, &place, all);
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        used(inner, &at["items"], schema, &format!("{place}/0"), all);
    }
    for form in at["anyOf"].as_array().into_iter().flatten() {
        used(value, form, schema, place, all);
    }
}

#[test]
fn one_policy_shows_every_key_and_is_right() {
    let policy = everything();
    assert_eq!(problems(&policy), [""; 0]);
    if let Err(error) = validator().validate(&policy) {
        panic!("{}: {error}", error.instance_path());
    }
    let schema = schema();
    let (mut all, mut shown) = (BTreeSet::new(), BTreeSet::new());
    described(&schema, &schema, "", &mut all);
    used(&policy, &schema, &schema, "", &mut shown);
    // What excludes something else.
    let mut other = policy;
    let to = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    other["sessions"]["bodies"] = json!({"as": "raw", "to": to});
    assert_eq!(problems(&other), [""; 0]);
    used(&other, &schema, &schema, "", &mut shown);
    let missing: Vec<&String> = all.difference(&shown).collect();
    assert!(all.len() > 100, "{} keys", all.len());
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The pointers of all values inside a value.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut inside = |name: &str, inner: &Value| {
        let name = name.replace('~', "~0").replace('/', "~1");
        let place = format!("{at}/{name}");
        all.push(place.clone());
        places(inner, &place, all);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| inside(name, inner)),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, inner)| inside(&index.to_string(), inner));
        }
        _ => {}
    }
}

/// Places where any JSON value is right.
fn is_free(place: &str) -> bool {
    place.contains("/fields/replace/") || place.contains("/jwks/keys/0/")
}

#[test]
fn a_value_of_a_wrong_type_is_refused_where_it_stands_by_both() {
    let (policy, validator) = (everything(), validator());
    let mut all = Vec::new();
    places(&policy, "", &mut all);
    assert!(all.len() > 200, "{} places", all.len());
    for place in all.iter().filter(|place| !is_free(place)) {
        let mut edited = policy.clone();
        *edited.pointer_mut(place).unwrap() = Value::Null;
        assert!(
            !validator.is_valid(&edited),
            "the schema takes null at {place}"
        );
        let found = problems(&edited);
        assert!(found.contains(place), "null at {place}: {found:?}");
    }
}

#[test]
fn what_the_filter_accepts_the_schema_accepts() {
    let (policy, validator) = (everything(), validator());
    let mut all = Vec::new();
    places(&policy, "", &mut all);
    let others = [
        json!(true),
        json!(0),
        json!(1),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!("a"),
        json!("1s"),
        json!("1MiB"),
        json!("deny"),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({"a": "b"}),
    ];
    let mut accepted = 0;
    for place in &all {
        let mut edits: Vec<Value> = Vec::new();
        for other in &others {
            let mut edited = policy.clone();
            *edited.pointer_mut(place).unwrap() = other.clone();
            edits.push(edited);
        }
        let (around, name) = place.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/").replace("~0", "~");
        if let Value::Object(members) = policy.pointer(around).unwrap() {
            let mut without: Map<String, Value> = members.clone();
            without.remove(&name);
            let mut edited = policy.clone();
            *edited.pointer_mut(around).unwrap() = Value::Object(without);
            edits.push(edited);
        }
        for edited in edits {
            if problems(&edited).is_empty() {
                accepted += 1;
                let valid = validator.validate(&edited);
                if let Err(error) = valid {
                    panic!("{place}: {}: {error}", error.instance_path());
                }
            }
        }
    }
    assert!(accepted > 100, "{accepted} edits were accepted");
}

#[test]
fn an_unknown_key_is_refused_in_every_object_by_both() {
    let (policy, validator) = (everything(), validator());
    let mut all = vec![String::new()];
    places(&policy, "", &mut all);
    let closed = |place: &str| {
        // Maps, whose names the policy chooses.
        let maps = [
            "/claims",
            "/claim",
            "/patterns",
            "/detectors",
            "/masks",
            "/quotas",
            "/replace",
            "/round",
        ];
        !is_free(place)
            && !maps.iter().any(|map| place.ends_with(map))
            && !place.ends_with("/keys/0")
    };
    let mut objects = 0;
    for place in all.iter().filter(|place| closed(place)) {
        let mut edited = policy.clone();
        let Some(Value::Object(members)) = edited.pointer_mut(place) else {
            continue;
        };
        objects += 1;
        members.insert("x-unknown".to_owned(), json!(1));
        assert!(
            !validator.is_valid(&edited),
            "the schema takes it at {place}"
        );
        let found = problems(&edited);
        assert!(
            found.contains(&format!("{place}/x-unknown")),
            "{place}: {found:?}"
        );
    }
    assert!(objects > 30, "{objects} objects");
}
