//! Walks the policy's JSON and collects every problem with its path.
//!
//! Nothing stops at the first error: a policy with three mistakes is told all three.

use core::cell::RefCell;
use core::fmt;

use serde_json::{Map, Value};

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole document.
    pub path: String,
    /// What stands there; a value that may be a secret is described, never quoted.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        write!(
            formatter,
            "{path}: found {}, expected {}",
            self.found, self.expected
        )
    }
}

/// Looks up a variable of the environment that `${NAME}` refers to.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What all nodes of one document share.
pub(super) struct Document<'a> {
    problems: RefCell<Vec<Problem>>,
    environment: &'a Environment<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn new(environment: &'a Environment<'a>) -> Self {
        Self {
            problems: RefCell::new(Vec::new()),
            environment,
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// A value of the policy and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    document: &'a Document<'a>,
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(document: &'a Document<'a>, value: &'a Value) -> Self {
        Self {
            document,
            value,
            path: String::new(),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// Notes that this value is not what is expected.
    pub(super) fn expected(&self, expected: impl Into<String>) {
        self.problem(describe(self.value), expected);
    }

    /// Notes a problem in words of its own.
    pub(super) fn problem(&self, found: impl Into<String>, expected: impl Into<String>) {
        self.document.problems.borrow_mut().push(Problem {
            path: self.path.clone(),
            found: found.into(),
            expected: expected.into(),
        });
    }

    /// Refuses a part of the policy's form whose machinery this version doesn't have.
    pub(super) fn not_in_this_version(&self, what: &str) {
        self.problem(
            what,
            "none: this version of Portcullis does not do that yet, and nothing is accepted and ignored",
        );
    }

    pub(super) fn object(&self) -> Option<Object<'a>> {
        if let Value::Object(members) = self.value {
            Some(Object {
                node: self.clone(),
                members,
                known: RefCell::new(Vec::new()),
            })
        } else {
            self.expected("an object");
            None
        }
    }

    pub(super) fn array(&self) -> Vec<Node<'a>> {
        if let Value::Array(items) = self.value {
            items
                .iter()
                .enumerate()
                .map(|(index, value)| Node {
                    document: self.document,
                    value,
                    path: format!("{}/{index}", self.path),
                })
                .collect()
        } else {
            self.expected("a list");
            Vec::new()
        }
    }

    /// A list with at least one item.
    pub(super) fn non_empty_array(&self) -> Vec<Node<'a>> {
        if self.value.as_array().is_some_and(Vec::is_empty) {
            self.problem("an empty list", "at least one item");
        }
        self.array()
    }

    pub(super) fn string(&self) -> Option<&'a str> {
        match self.value {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::String(_) => {
                self.problem("an empty string", "a string");
                None
            }
            _ => {
                self.expected("a string");
                None
            }
        }
    }

    pub(super) fn strings(&self) -> Vec<String> {
        self.non_empty_array()
            .iter()
            .filter_map(|node| node.string().map(str::to_owned))
            .collect()
    }

    pub(super) fn uint(&self) -> Option<u64> {
        let number = self.value.as_u64();
        if number.is_none() {
            self.expected("a whole number, 0 or more");
        }
        number
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.expected("true or false");
        }
        flag
    }

    /// A string that is one of `names`; gives its index.
    pub(super) fn one_of(&self, names: &[&str]) -> Option<usize> {
        let found = self
            .value
            .as_str()
            .and_then(|text| names.iter().position(|name| *name == text));
        if found.is_none() {
            self.expected(list_of(names));
        }
        found
    }

    /// A string in which `${NAME}` stands for a variable of the VM's environment. What it
    /// holds may be a secret and is never part of a problem.
    pub(super) fn secret(&self) -> Option<String> {
        let Value::String(text) = self.value else {
            self.problem(kind(self.value), "a string");
            return None;
        };
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                self.problem("\"${\" without \"}\"", "${NAME}");
                return None;
            };
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                self.problem(
                    format!("the variable name {name:?}"),
                    "letters, digits and underscores between ${ and }",
                );
                return None;
            }
            match (self.document.environment)(name) {
                Some(value) if !value.is_empty() => out.push_str(&value),
                Some(_) => {
                    self.problem(
                        format!("the environment variable {name}, which is empty"),
                        "a value for it in the VM's environment",
                    );
                    return None;
                }
                None => {
                    self.problem(
                        format!("${{{name}}}, which is not set"),
                        format!("an environment variable {name} in the VM's environment"),
                    );
                    return None;
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        if out.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            self.problem(
                "a control character in the value",
                "text that can stand in a header (RFC 9110, section 5.5)",
            );
            return None;
        }
        if out.is_empty() {
            self.problem("an empty string", "a string");
            return None;
        }
        Some(out)
    }
}

/// An object of the policy; keys that nobody asked for are problems when it is closed.
pub(super) struct Object<'a> {
    node: Node<'a>,
    members: &'a Map<String, Value>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Object<'a> {
    pub(super) fn node(&self) -> &Node<'a> {
        &self.node
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn optional(&self, key: &'static str) -> Option<Node<'a>> {
        self.known.borrow_mut().push(key);
        self.members.get(key).map(|value| self.child(key, value))
    }

    pub(super) fn required(&self, key: &'static str) -> Option<Node<'a>> {
        let node = self.optional(key);
        if node.is_none() {
            self.node
                .problem(format!("no {key:?}"), format!("the key {key:?}"));
        }
        node
    }

    /// A key of the policy's form that this version refuses by name.
    pub(super) fn later(&self, key: &'static str, what: &str) {
        if let Some(node) = self.optional(key) {
            node.not_in_this_version(what);
        }
    }

    /// All members, for an object whose keys are names that the policy chooses.
    pub(super) fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_str(), self.child(key, value)))
            .collect()
    }

    /// Notes every key that was never asked for.
    pub(super) fn close(self) {
        let known = self.known.into_inner();
        for (key, value) in self.members {
            if !known.contains(&key.as_str()) {
                let child = Node {
                    document: self.node.document,
                    value,
                    path: format!("{}/{}", self.node.path, escape(key)),
                };
                let mut names = known.clone();
                names.sort_unstable();
                child.problem(
                    format!("the unknown key {:?}", shorten(key)),
                    list_of(&names),
                );
            }
        }
    }

    fn child(&self, key: &str, value: &'a Value) -> Node<'a> {
        Node {
            document: self.node.document,
            value,
            path: format!("{}/{}", self.node.path, escape(key)),
        }
    }
}

/// `"a", "b" or "c"`.
pub(super) fn list_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// RFC 6901: `~` and `/` in a member's name.
fn escape(key: &str) -> String {
    shorten(key).replace('~', "~0").replace('/', "~1")
}

fn shorten(text: &str) -> String {
    const MAX_SHOWN_CHARS: usize = 60;
    if text.chars().count() > MAX_SHOWN_CHARS {
        let head: String = text.chars().take(MAX_SHOWN_CHARS).collect();
        format!("{head}...")
    } else {
        text.to_owned()
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", shorten(text)),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => kind(other).to_owned(),
    }
}
