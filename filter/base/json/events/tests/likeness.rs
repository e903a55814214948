//! That what is read here is what serde_json reads.

use proptest::prelude::*;
use serde_json::Value;

use super::super::{JsonError, JsonEvent, JsonSink, read};
use super::written;

/// Every event, owned.
#[derive(Default)]
struct Events(Vec<String>);

impl JsonSink for Events {
    fn take(&mut self, event: JsonEvent<'_>) {
        self.0.push(format!("{event:?}"));
    }
}

/// The events of a tree whose members are in the order of the text.
fn walk(value: &Value, events: &mut Events) {
    match value {
        Value::Null => events.take(JsonEvent::Null),
        Value::Bool(value) => events.take(JsonEvent::Word(*value)),
        Value::Number(number) => {
            let text = number.to_string();
            let whole = text.strip_suffix(".0").unwrap_or(&text);
            events.take(JsonEvent::Number(whole.parse().ok()));
        }
        Value::String(text) => events.take(JsonEvent::Text(text)),
        Value::Array(items) => {
            events.take(JsonEvent::Array);
            for item in items {
                walk(item, events);
            }
            events.take(JsonEvent::End);
        }
        Value::Object(members) => {
            events.take(JsonEvent::Object);
            for (name, value) in members {
                events.take(JsonEvent::Name(name));
                walk(value, events);
            }
            events.take(JsonEvent::End);
        }
    }
}

/// Whether an error is one of those that serde_json doesn't know.
fn is_ours(error: &JsonError) -> bool {
    let error = error.to_string();
    error.contains("occurs twice") || error.contains("262144 members")
}

/// Compares what becomes of a text here and in serde_json.
pub(super) fn compare(text: &[u8]) -> Result<(), TestCaseError> {
    let mut events = Events::default();
    let read_all = read(text, &mut events);
    prop_assert_eq!(&read(text, &mut ()), &read_all);
    let tree = serde_json::from_slice::<Value>(text);
    match (read_all, tree) {
        (Ok(()), Ok(_)) => {}
        (Err(error), Ok(_)) => prop_assert!(is_ours(&error), "{error}"),
        (Ok(()), Err(error)) => prop_assert!(false, "taken, but {error}"),
        (Err(_), Err(_)) => {}
    }
    prop_assert_eq!(
        read(text, &mut ()).is_ok(),
        super::super::super::parse(text).is_ok()
    );
    Ok(())
}

fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a\"\\\\\u{e9}\n]{0,4}",
        "[ -~]{0,40}",
        "\\PC{0,20}",
        any::<String>(),
    ]
}

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-300_000..300_000_i32).prop_map(|n| Value::from(f64::from(n) / 1024.0)),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        numbers(),
        strings().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(strings(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Values that [`super::Written`] writes as they are.
fn writable_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<u64>().prop_map(Value::from),
        strings().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[ab]{0,2}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What texts are made of, whole and broken.
fn tokens() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        8 => prop::sample::select(vec!["{", "}", "[", "]", ",", ":", "\"", "\\"]),
        4 => prop::sample::select(vec!["\"a\"", "\"b\"", "\"a\":", "\"\\u0061\":", "\"\u{e9}\":1"]),
        4 => prop::sample::select(vec![
            "0", "1", "-", "-0", "01", ".", "1.5", "1.", ".5", "e", "E", "e5", "e+", "e-7", "e308",
            "1e309", "0e999", "123456789012345678901", "18446744073709551615",
        ]),
        3 => prop::sample::select(vec!["true", "false", "null", "tru", "nul", "True", "NaN"]),
        3 => prop::sample::select(vec![
            "\\n", "\\/", "\\x", "\\u", "\\u00", "\\u0000", "\\u00E9", "\\ud800", "\\udc00",
            "\\ud83d\\ude00", "\\ud83d\\n", "\\u+123",
        ]),
        2 => prop::sample::select(vec![" ", "\n", "\t", "\r", "\u{b}", "\u{a0}", "\u{feff}"]),
        1 => prop::sample::select(vec!["\0", "\u{1f}", "\u{7f}", "\u{80}", "/*", "//", "'"]),
    ];
    let token = prop_oneof![
        40 => token.prop_map(|token| token.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.concat())
}

/// Whether a text is valid is often down to what stands in a string or number alone.
fn within() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        tokens(),
        tokens().prop_map(|inner| [b"\"", &inner[..], b"\""].concat()),
        tokens().prop_map(|inner| [b"[", &inner[..], b"]"].concat()),
        tokens().prop_map(|inner| [b"{\"a\":", &inner[..], b"}"].concat()),
        "-?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,4})?".prop_map(String::into_bytes),
        // Numbers that are about as great as an `f64` can be. Where it can't hold the last digits,
        // serde_json's answer depends on how it was built.
        ("0{0,2}[1-9]{1,30}", 0_usize..340, -340_i32..340).prop_map(|(digits, point, exponent)| {
            let zeros = "0".repeat(point);
            format!("{digits}{zeros}.{digits}e{exponent}").into_bytes()
        }),
        (0_usize..340, "[1-9]{1,3}", 0_i32..680).prop_map(|(point, digits, exponent)| {
            format!("0.{}{digits}e{exponent}", "0".repeat(point)).into_bytes()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn events_say_all_that_a_text_says(value in writable_values()) {
        let text = value.to_string();
        prop_assert_eq!(written(&text), text);
    }

    #[test]
    fn events_are_those_of_a_tree(value in values(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let mut of_tree = Events::default();
        walk(&serde_json::from_str(&text).unwrap(), &mut of_tree);
        let mut events = Events::default();
        read(text.as_bytes(), &mut events).unwrap();
        prop_assert_eq!(events.0, of_tree.0);
    }

    #[test]
    fn takes_of_any_tokens_what_serde_json_takes(text in within()) {
        compare(&text)?;
    }

    #[test]
    fn takes_of_a_broken_text_what_serde_json_takes(
        value in values(),
        pretty in any::<bool>(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        tokens in prop::collection::vec(tokens(), 3),
        kinds in prop::collection::vec(0..5, 3),
    ) {
        let mut text = if pretty {
            serde_json::to_vec_pretty(&value).unwrap()
        } else {
            serde_json::to_vec(&value).unwrap()
        };
        for ((place, token), kind) in places.iter().zip(tokens).zip(kinds) {
            let at = place.index(text.len() + 1);
            let next = text.len().min(at + 1);
            match kind {
                0 => text.truncate(at),
                1 => drop(text.drain(at..next)),
                2 => drop(text.splice(at..at, token)),
                3 => drop(text.splice(at..next, token)),
                _ => {
                    let byte = text.get(at / 2).copied();
                    text.splice(at..next, byte);
                }
            }
        }
        compare(&text)?;
    }
}
