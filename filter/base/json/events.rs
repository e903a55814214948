//! A JSON text as a sequence of events, for bodies: nothing is built of it, so that what a caller
//! sends takes memory in proportion to its bytes, whatever its shape.

use core::fmt;
use core::hash::Hasher as _;
use std::hash::DefaultHasher;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// What a text consists of, in its order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JsonEvent<'a> {
    /// `null`, `true` or `false`.
    Word,
    /// A number; its value if it is a whole number of 0 or more that fits.
    Number(Option<u64>),
    /// A string, decoded.
    Text(&'a str),
    /// An object begins.
    Object,
    /// The name of the member whose value comes next, decoded.
    Name(&'a str),
    /// An array begins.
    Array,
    /// The innermost object or array ends.
    End,
}

/// Takes the events of one text.
pub trait JsonSink {
    /// The next event.
    fn take(&mut self, event: JsonEvent<'_>);
}

/// For who only wants to know whether a text is strict JSON.
impl JsonSink for () {
    fn take(&mut self, _event: JsonEvent<'_>) {}
}

/// Members of all objects that are open at one place of a text. Each takes eight bytes until its
/// object ends.
const MAX_OPEN_MEMBERS: usize = 1 << 18;

/// Up to so many members, each name is compared with those before it as it comes; the names of
/// larger objects are compared when the object ends.
const MAX_MEMBERS_COMPARED: usize = 32;

/// Reads one JSON value and nothing after it. Of a text that turns out to be an error, events that
/// came before it have been handed over.
///
/// # Errors
/// As [`super::parse`], and more than 262,144 members in objects that are open at once.
pub fn read(text: &[u8], sink: &mut dyn JsonSink) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut names = Names(Vec::new());
    Reader {
        sink,
        names: &mut names,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Digests of the names in each object that is open, the innermost last. Two names with one
/// digest are taken for the same: that refuses a body, and lets none pass.
struct Names(Vec<u64>);

impl Names {
    /// Adds a name to the object whose names begin at `start`.
    fn add<E: serde::de::Error>(&mut self, start: usize, name: &str) -> Result<(), E> {
        let mut hasher = DefaultHasher::new();
        hasher.write(name.as_bytes());
        let digest = hasher.finish();
        let open = self.0.get(start..).unwrap_or_default();
        if open.len() < MAX_MEMBERS_COMPARED && open.contains(&digest) {
            return Err(super::twice(name));
        }
        if self.0.len() >= MAX_OPEN_MEMBERS {
            return Err(E::custom(format_args!(
                "more than {MAX_OPEN_MEMBERS} members"
            )));
        }
        self.0.push(digest);
        Ok(())
    }

    /// Ends the object whose names begin at `start`.
    fn end<E: serde::de::Error>(&mut self, start: usize) -> Result<(), E> {
        let open = self.0.get_mut(start..).unwrap_or_default();
        if open.len() > MAX_MEMBERS_COMPARED {
            open.sort_unstable();
            if open.windows(2).any(|pair| pair.first() == pair.last()) {
                return Err(E::custom(format_args!(
                    "a member of an object with {} members occurs twice",
                    open.len()
                )));
            }
        }
        self.0.truncate(start);
        Ok(())
    }
}

struct Reader<'r> {
    sink: &'r mut dyn JsonSink,
    names: &'r mut Names,
}

impl Reader<'_> {
    fn again(&mut self) -> Reader<'_> {
        Reader {
            sink: self.sink,
            names: self.names,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.sink.take(JsonEvent::Word);
        Ok(())
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        self.sink.take(JsonEvent::Word);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.sink.take(JsonEvent::Number(u64::try_from(value).ok()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.sink.take(JsonEvent::Number(Some(value)));
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        self.sink.take(JsonEvent::Number(None));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.sink.take(JsonEvent::Text(value));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        self.sink.take(JsonEvent::Array);
        while access.next_element_seed(self.again())?.is_some() {}
        self.sink.take(JsonEvent::End);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let start = self.names.0.len();
        self.sink.take(JsonEvent::Object);
        loop {
            let name = Name {
                start,
                reader: self.again(),
            };
            if access.next_key_seed(name)?.is_none() {
                break;
            }
            access.next_value_seed(self.again())?;
        }
        self.names.end(start)?;
        self.sink.take(JsonEvent::End);
        Ok(())
    }
}

/// The name of a member of the object whose names begin at `start`.
struct Name<'r> {
    start: usize,
    reader: Reader<'r>,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        self.reader.names.add(self.start, name)?;
        self.reader.sink.take(JsonEvent::Name(name));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write as _;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::{JsonEvent, JsonSink, MAX_OPEN_MEMBERS, read};

    /// Writes a text anew from its events.
    #[derive(Default)]
    struct Written {
        text: String,
        closers: Vec<char>,
        /// Whether a comma stands before the next value.
        behind: bool,
    }

    impl JsonSink for Written {
        fn take(&mut self, event: JsonEvent<'_>) {
            if self.behind && event != JsonEvent::End {
                self.text.push(',');
            }
            self.behind = true;
            match event {
                JsonEvent::Word => self.text.push_str("null"),
                JsonEvent::Number(Some(value)) => write!(self.text, "{value}").unwrap(),
                JsonEvent::Number(None) => self.text.push_str("-1"),
                JsonEvent::Text(text) => {
                    self.text.push_str(&serde_json::to_string(text).unwrap());
                }
                JsonEvent::Name(name) => {
                    self.text.push_str(&serde_json::to_string(name).unwrap());
                    self.text.push(':');
                    self.behind = false;
                }
                JsonEvent::Object | JsonEvent::Array => {
                    let (open, close) = match event {
                        JsonEvent::Object => ('{', '}'),
                        _ => ('[', ']'),
                    };
                    self.text.push(open);
                    self.closers.push(close);
                    self.behind = false;
                }
                JsonEvent::End => self.text.push(self.closers.pop().unwrap()),
            }
        }
    }

    fn written(text: &str) -> String {
        let mut written = Written::default();
        read(text.as_bytes(), &mut written).unwrap();
        written.text
    }

    #[test]
    fn gives_every_kind_of_value_in_order() {
        let text = r#"{"a":[null,-1,2,"x\"y"],"b":{},"":[[]]}"#;
        assert_eq!(written(text), text);
    }

    #[test]
    fn refuses_a_repeated_member_in_objects_of_every_size() {
        for members in [0, 1, 30, 31, 32, 33, 5000] {
            let others: String = (0..members).map(|n| format!("\"m{n}\":1,")).collect();
            let text = format!("[{{{others}\"\\u0061\":1,\"b\":{{\"a\":2}}}}]");
            read(text.as_bytes(), &mut ()).unwrap();
            let text = format!("[{{\"a\":1,{others}\"\\u0061\":1}}]");
            let error = read(text.as_bytes(), &mut ()).unwrap_err().to_string();
            assert!(error.contains("occurs twice"), "{members}: {error}");
        }
    }

    #[test]
    fn refuses_deep_nesting_and_more_members_than_it_can_compare() {
        assert!(read("[".repeat(10_000).as_bytes(), &mut ()).is_err());
        assert!(read(b"{} {}", &mut ()).is_err());
        let mut text = "{".to_owned();
        for n in 0..MAX_OPEN_MEMBERS {
            write!(text, "\"{n:x}\":1,").unwrap();
        }
        let most = format!("{}}}", text.trim_end_matches(','));
        read(most.as_bytes(), &mut ()).unwrap();
        let error = read(format!("{text}\"x\":1}}").as_bytes(), &mut ()).unwrap_err();
        assert!(error.to_string().contains("262144 members"), "{error}");
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<u64>().prop_map(Value::from),
            "[a\"\\\\\u{e9}\n]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[ab]{0,2}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn events_say_all_that_a_text_says(value in values()) {
            let text = value.to_string();
            prop_assert_eq!(written(&text), text);
        }

        /// What the tree's parser takes is what this one takes.
        #[test]
        fn takes_what_a_tree_is_made_of(text in "[{}\\[\\]\",:a1 ]{0,16}") {
            prop_assert_eq!(
                read(text.as_bytes(), &mut ()).is_ok(),
                super::super::parse(text.as_bytes()).is_ok()
            );
        }
    }
}
