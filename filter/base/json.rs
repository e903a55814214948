//! Strict JSON for everything that a decision rests on.
//!
//! RFC 8259 leaves the meaning of a repeated member name open. A guard that reads the first
//! `"model"` in front of a server that reads the last one guards nothing, so a repeated name
//! is an error here. Nesting is limited to 127 levels.
//!
//! [`parse`] builds a tree, which takes many times a text's bytes: it is for small documents, and
//! has a limit of values. [`read`] builds nothing, and is for bodies.

mod events;

use core::cell::Cell;
use core::fmt;

pub use events::{JsonError, JsonEvent, JsonSink, read};

use events::twice;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::bytes::behind;

/// Values in one tree; each takes up to 100 bytes.
const MAX_VALUES: u32 = 1 << 17;

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// What is not JSON, nests deeper than 127 levels, has more than 131,072 values, or repeats a
/// member name; the message gives line and column and quotes nothing but the repeated name.
pub fn parse(text: &[u8]) -> Result<Value, serde_json::Error> {
    parse_up_to(text, MAX_VALUES)
}

/// As [`parse`], of a document that somebody publishes: a byte order mark in front of it is skipped,
/// as RFC 8259, section 8.1 allows.
///
/// # Errors
/// As [`parse`].
pub fn parse_published(document: &[u8]) -> Result<Value, serde_json::Error> {
    parse(behind(document, b"\xEF\xBB\xBF").unwrap_or(document))
}

/// As [`parse`], with another limit of values: a policy's author may use as many as it takes.
///
/// # Errors
/// As [`parse`].
pub fn parse_up_to(text: &[u8], values: u32) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let left = Cell::new(values);
    let value = Tree { left: &left }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Builds a value; `left` is how many more there may be.
#[derive(Clone, Copy)]
struct Tree<'t> {
    left: &'t Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left
            .set(left.ok_or_else(|| D::Error::custom("more values than are taken"))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            match members.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(access.next_value_seed(self)?);
                }
                Entry::Occupied(place) => return Err(A::Error::custom(twice(place.key()))),
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_up_to};

    #[test]
    fn reads_every_kind_of_value() {
        let text = br#"{"a":[null,true,-1,2,0.5,"x"],"b":{}}"#;
        let value = parse(text).unwrap();
        assert_eq!(serde_json::to_vec(&value).unwrap(), text);
    }

    #[test]
    fn refuses_a_repeated_member_at_any_depth() {
        let error = parse(br#"{"a":[{"model":"x","model":"y"}]}"#).unwrap_err();
        assert!(
            error.to_string().contains("\"model\" occurs twice"),
            "{error}"
        );
        // The same name written with an escape is the same name.
        assert!(parse(br#"{"model":1,"mod\u0065l":2}"#).is_err());
    }

    #[test]
    fn refuses_deep_nesting_and_trailing_bytes() {
        assert!(parse("[".repeat(10_000).as_bytes()).is_err());
        assert!(parse(b"{} {}").is_err());
        assert!(parse(b"\xff").is_err());
    }

    #[test]
    fn refuses_more_values_than_a_tree_may_have() {
        let values = |count: usize| format!("[{}1]", "1,".repeat(count - 2));
        parse(values(1 << 17).as_bytes()).unwrap();
        let error = parse(values((1 << 17) + 1).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("more values"), "{error}");
        parse_up_to(values((1 << 17) + 1).as_bytes(), u32::MAX).unwrap();
    }
}
