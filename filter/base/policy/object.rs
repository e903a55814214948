//! An object of the policy.

use core::time::Duration;

use serde_json::{Map, Value};

use super::form::{ANY_JSON, Key, Kind, Need, Presence, Usual};
use super::node::{Node, Source};
use super::words::{list_of, list_of_all, shorten};
use crate::glob::Glob;

/// An object of the policy. Unknown keys and missing ones have been noted as problems.
///
/// A reader for a key gives `None` where the key was left out, unless something is usual then, and
/// where its value is wrong.
pub struct Object<'a> {
    node: Node<'a>,
    members: Option<&'a Map<String, Value>>,
}

impl<'a> Node<'a> {
    /// The value as an object whose keys have been checked.
    #[must_use]
    #[inline(never)]
    pub fn object(&self) -> Option<Object<'a>> {
        let members = match (self.source, &self.form().kind) {
            (Source::Written(Value::Object(members)), Kind::Object { .. } | Kind::Map { .. }) => {
                Some(members)
            }
            (Source::Usual(Usual::Empty), _) => None,
            _ => {
                self.wrong();
                return None;
            }
        };
        Some(Object::new(self.clone(), members))
    }
}

impl<'a> Node<'a> {
    /// What `read` makes of each name that the policy has chosen, and of what stands under it.
    #[must_use]
    #[inline(never)]
    pub fn each_named<T>(&self, mut read: impl FnMut(&'a str, &Self) -> Option<T>) -> Vec<T> {
        let entries = self.object().map(|object| object.entries());
        let entries = entries.unwrap_or_default().into_iter();
        entries
            .filter_map(|(name, node)| read(name, &node))
            .collect()
    }
}

impl<'a> Object<'a> {
    pub(super) fn new(node: Node<'a>, members: Option<&'a Map<String, Value>>) -> Self {
        let this = Self { node, members };
        this.check_keys();
        this
    }

    /// The object as a value.
    #[must_use]
    pub fn node(&self) -> &Node<'a> {
        &self.node
    }

    fn check_keys(&self) {
        let form = self.node.form();
        for key in form.keys() {
            match key.need {
                Need::Required if !self.has(key.name) => self
                    .node
                    .problem(format!("no key {:?}", key.name), "it to be there"),
                Need::Later(what) => {
                    if let Some(value) = self.written(key.name) {
                        let node = self.node.child(key.name, Source::Written(value), &ANY_JSON);
                        node.not_in_this_version(what);
                    }
                }
                _ => {}
            }
        }
        let (keys, presence) = match &form.kind {
            Kind::Object { keys, presence } => (keys, presence),
            Kind::Map { may_be_empty, .. } => {
                if !may_be_empty && self.members.is_none_or(Map::is_empty) {
                    self.node.problem("an empty object", "at least one name");
                }
                return;
            }
            _ => return,
        };
        for (name, value) in self.members.into_iter().flatten() {
            if !keys.iter().any(|key| key.name == name) {
                let known = keys.iter().filter(|key| !key.is_later());
                let mut known: Vec<&str> = known.map(|key| key.name).collect();
                crate::sort::sort(&mut known);
                self.node
                    .child(name, Source::Written(value), &ANY_JSON)
                    .problem(
                        format!("the unknown key {:?}", shorten(name)),
                        list_of(&known),
                    );
            }
        }
        self.check_presence(*presence, keys);
    }

    fn check_presence(&self, presence: Presence, keys: &[Key]) {
        let given = |names: &[&'static str]| -> Vec<&'static str> {
            let given = names.iter().filter(|name| self.has(name));
            given.copied().collect()
        };
        match presence {
            Presence::Free => {}
            Presence::NotEmpty => {
                if self.members.is_none_or(Map::is_empty) {
                    let known = keys.iter().filter(|key| !key.is_later());
                    let names: Vec<&str> = known.map(|key| key.name).collect();
                    self.node.problem(
                        "an empty object",
                        format!("at least one of the keys {}", list_of(&names)),
                    );
                }
            }
            Presence::Some(names) => {
                if given(names).is_empty() {
                    self.node
                        .problem(format!("no {}", list_of(names)), "at least one of them");
                }
            }
            Presence::One(names) => match given(names).as_slice() {
                [_] => {}
                [] => self
                    .node
                    .problem(format!("no {}", list_of(names)), "one of them"),
                several => self.node.problem(
                    list_of_all(several),
                    format!("one of {}", list_of_all(names)),
                ),
            },
        }
    }

    fn written(&self, key: &str) -> Option<&'a Value> {
        self.members.and_then(|members| members.get(key))
    }

    /// Whether the policy writes the key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.written(key).is_some()
    }

    /// What stands under a key of the object's form, or what usually does.
    #[must_use]
    #[inline(never)]
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let keys = self.node.form().keys();
        let Some(key) = keys.iter().find(|key| key.name == name) else {
            debug_assert!(false, "{name:?} is read but not described");
            self.node
                .problem(format!("{name:?}, which is not described"), "nothing");
            return None;
        };
        let source = match (self.written(name), key.need) {
            (Some(value), _) => Source::Written(value),
            (None, Need::Usual(Usual::Words(_))) => return None,
            (None, Need::Usual(usual)) => Source::Usual(usual),
            (None, _) => return None,
        };
        Some(self.node.child(name, source, key.form))
    }

    /// The names that the policy has chosen, with what stands under them.
    #[must_use]
    #[inline(never)]
    pub fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        let Kind::Map { of, keys, .. } = &self.node.form().kind else {
            return Vec::new();
        };
        let members = self.members.into_iter().flatten();
        members
            .filter(|(name, _)| !keys.iter().any(|key| key.name == name.as_str()))
            .map(|(name, value)| {
                (
                    name.as_str(),
                    self.node.child(name, Source::Written(value), of),
                )
            })
            .collect()
    }

    /// A string under a key.
    #[must_use]
    #[inline(never)]
    pub fn text(&self, key: &str) -> Option<String> {
        Some(self.get(key)?.text()?.to_owned())
    }

    /// Globs under a key; none where it was left out.
    #[must_use]
    #[inline(never)]
    pub fn globs(&self, key: &str) -> Vec<Glob> {
        self.get(key).map(|node| node.globs()).unwrap_or_default()
    }

    /// Strings under a key; none where it was left out.
    #[must_use]
    #[inline(never)]
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.get(key).map(|node| node.texts()).unwrap_or_default()
    }

    /// A whole number under a key.
    #[must_use]
    #[inline(never)]
    pub fn whole(&self, key: &str) -> Option<u64> {
        self.get(key)?.whole()
    }

    /// A size under a key, in bytes.
    #[must_use]
    #[inline(never)]
    pub fn size(&self, key: &str) -> Option<u64> {
        self.get(key)?.size()
    }

    /// A duration under a key.
    #[must_use]
    #[inline(never)]
    pub fn duration(&self, key: &str) -> Option<Duration> {
        self.get(key)?.duration()
    }

    /// A flag under a key.
    #[must_use]
    #[inline(never)]
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.flag()
    }

    /// The place of what stands under a key among its form's names.
    #[must_use]
    #[inline(never)]
    pub fn name(&self, key: &str) -> Option<usize> {
        self.get(key)?.name()
    }

    /// An object under a key.
    #[must_use]
    #[inline(never)]
    pub fn object(&self, key: &str) -> Option<Self> {
        self.get(key)?.object()
    }
}
