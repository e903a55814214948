//! `when` of a rule: the conditions under which it applies.

use core::fmt;

use base::identity::Identity;
use base::policy::{Form, Key, Node, Presence};

use super::conditions::{CONDITIONS, Names, Reading, Test};
use super::facts::{Body, Request};
use super::truth::Truth;

/// Conditions, all of which must hold.
#[derive(Clone)]
pub struct When {
    /// Those that are written, with their keys, in the order of [`CONDITIONS`].
    written: Vec<(&'static str, Test)>,
    /// The patterns that they ask for, by their places in the policy.
    patterns: Vec<usize>,
    /// The headers that they ask for, in lower case.
    headers: Vec<String>,
    /// Whether they ask for what nobody has a name for, and not only by a glob.
    names_unknown: bool,
    /// Must not hold.
    not: Option<Box<When>>,
}

impl fmt::Debug for When {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.written.iter().map(|(key, _)| key);
        formatter
            .debug_struct("When")
            .field("written", &keys.collect::<Vec<_>>())
            .field("not", &self.not)
            .finish_non_exhaustive()
    }
}

/// Keys of the policy's form that come with a later version.
const LATER: [Key; 2] = [
    Key::later("body", "a condition on the body (\"body\")"),
    Key::later("size", "a condition on the size (\"size\")"),
];

/// The keys of all conditions, and what else may stand among them.
static KEYS: [Key; CONDITIONS.len() + 1 + LATER.len()] = keys(Key::optional(
    "not",
    "Conditions that must not hold together.",
    &WHEN,
));

#[allow(clippy::indexing_slicing, reason = "this runs when it is compiled")]
const fn keys(not: Key) -> [Key; CONDITIONS.len() + 1 + LATER.len()] {
    let mut keys = [not; CONDITIONS.len() + 1 + LATER.len()];
    let mut index = 0;
    while index < CONDITIONS.len() {
        keys[index] = CONDITIONS[index].key;
        index += 1;
    }
    let mut later = 0;
    while later < LATER.len() {
        keys[index + 1 + later] = LATER[later];
        later += 1;
    }
    keys
}

/// Conditions, all of which must hold.
pub(super) static WHEN: Form = Form::object_with(Presence::NotEmpty, &KEYS).named("when");

pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<When> {
    let object = node.object()?;
    let mut reading = Reading {
        names,
        patterns: Vec::new(),
        headers: Vec::new(),
        names_unknown: false,
    };
    let mut written = Vec::new();
    for condition in CONDITIONS {
        if let Some(node) = object.get(condition.key.name) {
            let test = (condition.read)(&node, &mut reading);
            written.push((condition.key.name, test));
        }
    }
    let not = object.get("not").and_then(|node| read(&node, names));
    Some(When {
        written,
        patterns: reading.patterns,
        headers: reading.headers,
        names_unknown: reading.names_unknown,
        not: not.map(Box::new),
    })
}

impl When {
    /// Whether the conditions hold for a request.
    pub(super) fn holds(&self, request: &Request<'_>) -> Truth {
        let mut truth = Truth::Yes;
        for (_, test) in &self.written {
            truth = truth.and(test.holds(request));
            if truth == Truth::No {
                return Truth::No;
            }
        }
        match &self.not {
            Some(inner) => truth.and(inner.holds(request).not()),
            None => truth,
        }
    }

    /// Whether a rule with these conditions may allow what nobody has a name for.
    pub(super) fn names_unknown(&self) -> bool {
        self.names_unknown
    }

    /// The patterns that the conditions ask for, by their places in the policy.
    pub(super) fn patterns(&self) -> Vec<usize> {
        let inner = self.not.as_ref().map(|inner| inner.patterns());
        let own = self.patterns.iter().copied();
        own.chain(inner.into_iter().flatten()).collect()
    }

    /// The headers that the conditions ask for, in lower case.
    pub(super) fn headers(&self) -> Vec<String> {
        let inner = self.not.as_ref().map(|inner| inner.headers());
        let own = self.headers.iter().cloned();
        own.chain(inner.into_iter().flatten()).collect()
    }

    /// Whether the conditions hold for every request of a caller, for none, or for some; and the
    /// keys that make it so. Those under `not` have it before their name.
    pub(super) fn of_caller(&self, caller: &Identity) -> (Truth, Vec<String>) {
        let judged = |key: &'static str, test: &Test| match test {
            Test::Caller(holds) => (key, Truth::from(holds(caller))),
            Test::Head(_) | Test::Body(_) => (key, Truth::Unknown),
        };
        let written = self.written.iter().map(|(key, test)| judged(key, test));
        let judged: Vec<(&'static str, Truth)> = written.collect();
        let keys = |wanted: Truth| -> Vec<String> {
            let found = judged.iter().filter(|(_, truth)| *truth == wanted);
            found.map(|(key, _)| (*key).to_owned()).collect()
        };
        let unmet = keys(Truth::No);
        if !unmet.is_empty() {
            return (Truth::No, unmet);
        }
        let mut open = keys(Truth::Unknown);
        if let Some(inner) = &self.not {
            let (truth, keys) = inner.of_caller(caller);
            let keys = keys.into_iter().map(|key| format!("not {key}"));
            match truth {
                Truth::Yes => return (Truth::No, keys.collect()),
                Truth::No => {}
                Truth::Unknown => open.extend(keys),
            }
        }
        if open.is_empty() {
            (Truth::Yes, keys(Truth::Yes))
        } else {
            (Truth::Unknown, open)
        }
    }
}

impl Test {
    fn holds(&self, request: &Request<'_>) -> Truth {
        match self {
            Self::Caller(holds) => holds(request.caller).into(),
            Self::Head(holds) => holds(&request.head),
            Self::Body(holds) => request
                .body
                .as_ref()
                .map_or(Truth::Unknown, |body: &Body<'_>| holds(body)),
        }
    }
}
