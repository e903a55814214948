//! A form as JSON Schema (draft 2020-12), for editors and for whoever checks a policy elsewhere.
//!
//! It says what a form says: keys, types and ranges of numbers. That names refer to something, that
//! expressions compile and that sizes lie within their range is for the reader alone to say; a
//! policy that the reader accepts is always one that the schema accepts.

use serde_json::{Map, Value, json};

use super::form::{Form, Key, Kind, Need, Presence, Usual};

/// Writes a form as a schema of this title.
#[must_use]
pub fn schema(title: &str, form: &'static Form) -> Value {
    let mut definitions = Map::new();
    let mut root = Map::new();
    root.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    root.insert("title".to_owned(), json!(title));
    root.extend(shape(form, &mut definitions));
    root.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(root)
}

/// A reference to a form that has a name, and the form itself where it has none.
fn used(form: &'static Form, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let Some(name) = form.name else {
        return shape(form, definitions);
    };
    if !definitions.contains_key(name) {
        // A form that holds itself finds its name taken.
        definitions.insert(name.to_owned(), Value::Null);
        let defined = shape(form, definitions);
        definitions.insert(name.to_owned(), Value::Object(defined));
    }
    members(json!({"$ref": format!("#/$defs/{name}")}))
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn shape(form: &'static Form, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    match &form.kind {
        Kind::Object { keys, presence } => {
            let mut object = properties(keys, definitions);
            object.insert("additionalProperties".to_owned(), json!(false));
            object.extend(members(needed(*presence)));
            object
        }
        Kind::Map {
            of,
            keys,
            may_be_empty,
            ..
        } => {
            let mut object = properties(keys, definitions);
            if !may_be_empty {
                object.insert("minProperties".to_owned(), json!(1));
            }
            let of = Value::Object(used(of, definitions));
            object.insert("additionalProperties".to_owned(), of);
            object
        }
        Kind::List { of, may_be_empty } => {
            let of = Value::Object(used(of, definitions));
            let least = u8::from(!may_be_empty);
            members(json!({"type": "array", "minItems": least, "items": of}))
        }
        Kind::Text { expected, pattern } => {
            let mut text = members(json!({"type": "string", "minLength": 1}));
            if *expected != "a string" {
                text.insert("description".to_owned(), sentence(expected));
            }
            if let Some(pattern) = pattern {
                text.insert("pattern".to_owned(), json!(pattern));
            }
            text
        }
        Kind::Secret => members(json!({
            "type": "string",
            "minLength": 1,
            "description": "${NAME} stands for a variable of the VM's environment.",
        })),
        Kind::Whole { min, max } => {
            let mut whole = members(json!({"type": "integer", "minimum": min}));
            if *max < u64::MAX {
                whole.insert("maximum".to_owned(), json!(max));
            }
            whole
        }
        Kind::Size { .. } => amount("^[0-9]+(B|KiB|MiB|GiB)$", &form.expected()),
        Kind::Duration { .. } => amount("^[0-9]+(ms|s|m|h|d)$", &form.expected()),
        Kind::Flag => members(json!({"type": "boolean"})),
        Kind::Names(names) => members(json!({"enum": names})),
        Kind::Either(forms) => {
            let forms: Vec<Value> = forms
                .iter()
                .map(|form| Value::Object(used(form, definitions)))
                .collect();
            members(json!({"anyOf": forms}))
        }
        Kind::Json => Map::new(),
    }
}

fn amount(pattern: &str, expected: &str) -> Map<String, Value> {
    members(json!({
        "type": "string",
        "pattern": pattern,
        "description": sentence(expected),
    }))
}

/// Words of a message as a sentence.
fn sentence(words: &str) -> Value {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let text: String = first.into_iter().chain(letters).collect();
    json!(format!("{text}."))
}

fn properties(keys: &'static [Key], definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys {
        if key.is_later() {
            continue;
        }
        let mut value = used(key.form, definitions);
        value.insert("description".to_owned(), json!(key.about));
        match key.need {
            Need::Required => required.push(key.name),
            Need::Usual(usual) => {
                value.extend(usual_value(usual).map(|usual| ("default".to_owned(), usual)));
            }
            Need::Optional | Need::Later(_) => {}
        }
        properties.insert(key.name.to_owned(), Value::Object(value));
    }
    let mut object = members(json!({"type": "object", "properties": properties}));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn usual_value(usual: Usual) -> Option<Value> {
    match usual {
        Usual::Text(text) => Some(json!(text)),
        Usual::Whole(number) => Some(json!(number)),
        Usual::Flag(flag) => Some(json!(flag)),
        Usual::Empty => Some(json!({})),
        Usual::Words(_) => None,
    }
}

fn needed(presence: Presence) -> Value {
    let each = |names: &[&str]| -> Vec<Value> {
        names
            .iter()
            .map(|name| json!({"required": [name]}))
            .collect()
    };
    match presence {
        Presence::Free => json!({}),
        Presence::NotEmpty => json!({"minProperties": 1}),
        Presence::One(names) => json!({"oneOf": each(names)}),
        Presence::Some(names) => json!({"anyOf": each(names)}),
    }
}
