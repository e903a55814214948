//! A record for a list: what its bodies say is left out, which may be megabytes for each.

use serde_json::Value;

/// What stands in front of bodies in a record that has some, as the filter writes it.
const BODIES: &str = "\"bodies\":{";

/// The record without what its bodies say: their members `parts` and `age` are null. One that has no
/// bodies stays as it came.
pub(super) fn outline(text: String) -> String {
    if !text.contains(BODIES) {
        return text;
    }
    let Ok(mut record) = serde_json::from_str::<Value>(&text) else {
        return text;
    };
    let bodies = record.get_mut("bodies").and_then(Value::as_object_mut);
    for body in bodies.into_iter().flat_map(|bodies| bodies.values_mut()) {
        for (name, said) in body.as_object_mut().into_iter().flatten() {
            if ["parts", "age"].contains(&name.as_str()) {
                *said = Value::Null;
            }
        }
    }
    record.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bodies_say_is_left_out_and_nothing_else() {
        let text = r#"{"id":"a","bodies":{"as":"masked","request":null,"response":{"bytes":2,"parts":[{"text":"hi"}],"age":"x"}},"parts":[1]}"#;
        let expected = r#"{"id":"a","bodies":{"as":"masked","request":null,"response":{"bytes":2,"parts":null,"age":null}},"parts":[1]}"#;
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&outline(text.to_owned())), read(expected));
        for other in [r#"{"id": "a", "bodies":null}"#, r#"{"id":  "b"}"#] {
            assert_eq!(outline(other.to_owned()), other);
        }
    }
}
