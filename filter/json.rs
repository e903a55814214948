//! Strict JSON for everything that a decision rests on.
//!
//! RFC 8259 leaves the meaning of a repeated member name open. A guard that reads the first
//! `"model"` in front of a server that reads the last one guards nothing, so a repeated name
//! is an error here. Nesting is limited to 128 levels.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// What is not JSON, nests deeper than 128 levels, or repeats a member name; the message gives
/// line and column and quotes nothing but the repeated name.
pub fn parse(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Strict>(text).map(|strict| strict.0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
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
        while let Some(item) = access.next_element::<Strict>()? {
            items.push(item.0);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            match members.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(access.next_value::<Strict>()?.0);
                }
                Entry::Occupied(place) => {
                    let shown: String = place.key().chars().take(64).collect();
                    return Err(A::Error::custom(format_args!(
                        "the member {shown:?} occurs twice"
                    )));
                }
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

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
}
