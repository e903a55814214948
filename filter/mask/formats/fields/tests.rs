use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::WalkError;
use super::*;
use crate::policy::{FieldRules, Pointer, Segment};

fn pointer(text: &str) -> Pointer {
    let step = |step: &str| match step {
        "*" => Segment::Any,
        name => Segment::Name(name.to_owned()),
    };
    Pointer(text.split('/').skip(1).map(step).collect())
}

fn rules(remove: &[&str], replace: &[(&str, Value)], round: &[(&str, u8)]) -> Fields {
    Fields::new(&FieldRules {
        remove: remove.iter().map(|text| pointer(text)).collect(),
        replace: replace
            .iter()
            .map(|(text, value)| (pointer(text), value.clone()))
            .collect(),
        round: round
            .iter()
            .map(|(text, digits)| (pointer(text), *digits))
            .collect(),
        ..FieldRules::default()
    })
    .unwrap()
}

fn edit(fields: &Fields, body: &str) -> String {
    let whole = String::from_utf8(super::edit(fields, body.as_bytes()).unwrap()).unwrap();
    for size in [1, 2, 3, 7] {
        let mut editor = Editor::default();
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(size) {
            editor.push(fields, piece, &mut out).unwrap();
        }
        editor.finish(fields, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), whole, "pieces of {size}");
    }
    whole
}

#[test]
fn members_and_items_go_with_their_commas() {
    let fields = rules(&["/a", "/l/0", "/m/*/x"], &[], &[]);
    for (body, edited) in [
        (r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
        (r#"{"b":2,"a":{"c":[1,{"d":"}"}]}}"#, r#"{"b":2}"#),
        (r#"{"a":1}"#, "{}"),
        (r#"{ "a" : "x\"," , "b" : 2 , "a" : 3 }"#, r#"{  "b" : 2 }"#),
        (r#"{"\u0061":1,"c":0}"#, r#"{"c":0}"#),
        (r#"{"l":["x",{"a":1},2]}"#, r#"{"l":[{"a":1},2]}"#),
        (r#"{"l":{"0":1,"1":2}}"#, r#"{"l":{"1":2}}"#),
        (r#"{"m":[{"x":1},{"y":2,"x":3}]}"#, r#"{"m":[{},{"y":2}]}"#),
        (r#"[{"a":1}]"#, r#"[{"a":1}]"#),
        (r#"{"b":{"a":1}} {"a":1,"b":0}"#, r#"{"b":{"a":1}} {"b":0}"#),
        ("\u{feff}{\"a\":1}\n", "\u{feff}{}\n"),
        ("null", "null"),
        ("", ""),
    ] {
        assert_eq!(edit(&fields, body), edited, "{body}");
    }
}

#[test]
fn a_value_takes_the_place_of_another_whatever_it_was() {
    let fields = rules(
        &[],
        &[("/user/name", json!({"hidden": true})), ("/n/*", json!(0))],
        &[],
    );
    for (body, edited) in [
        (
            r#"{"user":{"name":"Jane","id":7}}"#,
            r#"{"user":{"name":{"hidden":true},"id":7}}"#,
        ),
        (
            r#"{"user":{"name":[1,[2]]}}"#,
            r#"{"user":{"name":{"hidden":true}}}"#,
        ),
        (r#"{"n":[1, "x", {"a":[]}]}"#, r#"{"n":[0, 0, 0]}"#),
        (r#"{"user":"name"}"#, r#"{"user":"name"}"#),
    ] {
        assert_eq!(edit(&fields, body), edited, "{body}");
    }
}

#[test]
fn the_numbers_of_an_embedding_lose_digits() {
    let fields = rules(&[], &[], &[("/data/*/embedding", 3)]);
    assert_eq!(
        edit(
            &fields,
            r#"{"data":[{"embedding":[0.12345,-0.0004,1.5e-2, 7,[2.00049],{"x":0.12345},"0.12345",1e300],"index":0.12345}]}"#
        ),
        r#"{"data":[{"embedding":[0.123,0,0.015, 7,[2],{"x":0.12345},"0.12345",1e300],"index":0.12345}]}"#
    );
}

#[test]
fn log_probabilities_become_null_wherever_they_are() {
    let fields = Fields::new(&FieldRules {
        drop_logprobs: true,
        ..FieldRules::default()
    })
    .unwrap();
    assert_eq!(
        edit(
            &fields,
            r#"{"choices":[{"text":"logprobs","logprobs":{"tokens":["a"],"top":[{}]}}],"x":{"logprob":-0.1}}"#
        ),
        r#"{"choices":[{"text":"logprobs","logprobs":null}],"x":{"logprob":null}}"#
    );
}

#[test]
fn what_is_not_json_is_given_up() {
    let fields = rules(&["/a"], &[], &[]);
    for body in [
        r#"{"b":1,,"a":2}"#,
        r#"{b:1}"#,
        "[1 2]",
        r#"{"b" "a"}"#,
        "]",
        "01",
    ] {
        assert_eq!(
            super::edit(&fields, body.as_bytes()),
            Err(WalkError::Malformed),
            "{body}"
        );
    }
    let long = format!("{{\"{}\":1}}", "n".repeat(70_000));
    assert_eq!(
        super::edit(&fields, long.as_bytes()),
        Err(WalkError::TooLarge)
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c\"\\\\{}\\[\\],:é ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[ab\"é]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same by the book: on a value that is known whole.
fn removed(value: &Value, steps: &[&[Segment]]) -> Value {
    let gone = |name: &str| {
        let fits =
            |step: &Segment| *step == Segment::Any || *step == Segment::Name(name.to_owned());
        let below: Vec<&[Segment]> = steps
            .iter()
            .filter(|steps| steps.first().is_some_and(fits))
            .map(|steps| &steps[1..])
            .collect();
        (below.iter().any(|steps| steps.is_empty()), below)
    };
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(name, _)| !gone(name).0)
            .map(|(name, value)| (name.clone(), removed(value, &gone(name).1)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter(|(index, _)| !gone(&index.to_string()).0)
            .map(|(index, value)| removed(value, &gone(&index.to_string()).1))
            .collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn what_is_removed_is_what_the_pointers_name(
        value in value(),
        pointers in prop::collection::vec("(/[ab\"é01*]){1,3}", 1..4),
        pretty in any::<bool>(),
        size in 1..9_usize,
    ) {
        let pointers: Vec<Pointer> = pointers.iter().map(|text| pointer(text)).collect();
        let fields = Fields::new(&FieldRules { remove: pointers.clone(), ..FieldRules::default() }).unwrap();
        let body = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let mut editor = Editor::default();
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(size) {
            editor.push(&fields, piece, &mut out).unwrap();
        }
        editor.finish(&fields, &mut out).unwrap();
        let steps: Vec<&[Segment]> = pointers.iter().map(|pointer| pointer.0.as_slice()).collect();
        let edited: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(edited, removed(&value, &steps));
    }
}
