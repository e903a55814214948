//! Ways through a configuration, each value with its place.

use serde_json::Value;

/// A value in the configuration, and its JSON pointer there.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub(super) value: &'a Value,
    pub(super) place: String,
}

impl<'a> At<'a> {
    pub(super) fn new(value: &'a Value, place: String) -> Self {
        Self { value, place }
    }

    /// A member. Envoy writes names with underscores; in a `TypedStruct` they stand as somebody wrote them.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let object = self.value.as_object()?;
        if let Some(value) = object.get(name) {
            return Some(Self::new(
                value,
                format!("{}/{}", self.place, escaped(name)),
            ));
        }
        let other = camel(name);
        let value = object.get(&other)?;
        Some(Self::new(
            value,
            format!("{}/{}", self.place, escaped(&other)),
        ))
    }

    /// A member of a member, and so on.
    pub(super) fn at(&self, path: &[&str]) -> Option<Self> {
        let mut at = self.clone();
        for name in path {
            at = at.get(name)?;
        }
        Some(at)
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.value.as_str()
    }

    /// Whether a member is true. A wrapped one may stand in an object.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|at| {
            at.value.as_bool() == Some(true)
                || at.value.get("value").and_then(Value::as_bool) == Some(true)
        })
    }

    /// A member that is a whole number, also one that is written as a text.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let value = self.get(name)?.value;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A member that is a duration, in milliseconds: `1.5s`.
    pub(super) fn milliseconds(&self, name: &str) -> Option<u64> {
        let text = self.text(name)?.strip_suffix('s')?;
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let part: String = part.chars().chain("000".chars()).take(3).collect();
        let whole: u64 = whole.parse().ok()?;
        whole.checked_mul(1000)?.checked_add(part.parse().ok()?)
    }

    /// The items of a member that is a list.
    pub(super) fn items(&self, name: &str) -> Vec<Self> {
        self.get(name).map(|at| at.list()).unwrap_or_default()
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Vec<Self> {
        let items = self.value.as_array();
        let items = items.into_iter().flatten().enumerate();
        items
            .map(|(index, value)| Self::new(value, format!("{}/{index}", self.place)))
            .collect()
    }

    /// The members of an object.
    pub(super) fn members(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.as_object();
        let members = members.into_iter().flatten();
        members
            .map(|(name, value)| {
                let place = format!("{}/{}", self.place, escaped(name));
                (name.as_str(), Self::new(value, place))
            })
            .collect()
    }

    /// The name of the message that stands in a `typed_config`, and the message.
    pub(super) fn typed(&self) -> Option<(&'a str, Self)> {
        let typed = self.get("typed_config")?;
        typed.unwrapped()
    }

    /// The name of an `Any`'s message, and the message. A `TypedStruct` is one in other clothes.
    pub(super) fn unwrapped(&self) -> Option<(&'a str, Self)> {
        let name = last(self.value.get("@type")?.as_str()?);
        if name.ends_with(".TypedStruct") {
            let inner = last(self.text("type_url")?);
            return Some((inner, self.get("value")?));
        }
        Some((name, self.clone()))
    }

    /// Where it stands, with the document's name.
    pub(super) fn shown(&self) -> String {
        format!("config_dump#{}", self.place)
    }
}

/// `type.googleapis.com/a.b.C` is `a.b.C`.
fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

/// A name in a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn camel(name: &str) -> String {
    let mut out = String::new();
    let mut up = false;
    for letter in name.chars() {
        match letter {
            '_' => up = true,
            _ if up => {
                out.extend(letter.to_uppercase());
                up = false;
            }
            _ => out.push(letter),
        }
    }
    out
}
