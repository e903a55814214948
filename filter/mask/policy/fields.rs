//! `"fields"` of a mask: what happens to single fields, whatever is in them.

#[cfg(test)]
mod tests;

use base::policy::{ANY_JSON, FLAG, Form, Key, Node, Object, Presence, Usual};
use serde_json::Value;

/// One step of a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// The member of this name, or the item at this index of a list.
    Name(String),
    /// `*`: each member and each item.
    Any,
}

/// A JSON pointer (RFC 6901) in which a step may be `*`. It has at least one step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer(pub Vec<Segment>);

/// What happens to single fields. Where several rules name a field, removing goes before
/// replacing, and replacing before rounding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldRules {
    /// JSON members and items that are taken out.
    pub remove: Vec<Pointer>,
    /// JSON values that others take the place of, with what is written.
    pub replace: Vec<(Pointer, Value)>,
    /// JSON numbers, and those in JSON lists, that lose the digits behind this many after the
    /// point (0 to 15).
    pub round: Vec<(Pointer, u8)>,
    /// Whether all log probabilities of tokens are taken out.
    pub drop_logprobs: bool,
    /// Fields of gRPC messages that are taken out, each a path of field numbers (1 to 2^29 - 1).
    pub grpc_remove: Vec<Vec<u32>>,
}

impl FieldRules {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds another mask's rules. Where both say what becomes of one field, the first holds.
    pub(super) fn extend(&mut self, other: &Self) {
        fn add<T: Clone>(to: &mut Vec<T>, from: &[T], same: impl Fn(&T, &T) -> bool) {
            for one in from {
                if !to.iter().any(|known| same(known, one)) {
                    to.push(one.clone());
                }
            }
        }
        add(&mut self.remove, &other.remove, |a, b| a == b);
        add(&mut self.replace, &other.replace, |a, b| a.0 == b.0);
        add(&mut self.round, &other.round, |a, b| a.0 == b.0);
        add(&mut self.grpc_remove, &other.grpc_remove, |a, b| a == b);
        self.drop_logprobs |= other.drop_logprobs;
    }
}

/// Each is looked for at every place of a body.
const MAX_RULES: usize = 256;
/// Deeper fields are not reached.
const MAX_STEPS: usize = 32;
/// Digits that a JSON number can tell apart, all of them behind the point.
const MAX_DIGITS: u64 = 15;
/// The largest field number of Protocol Buffers.
const MAX_FIELD_NUMBER: u32 = (1 << 29) - 1;

/// `"fields"` of a mask.
pub(super) static FIELDS: Form = Form::object_with(
    Presence::NotEmpty,
    &[
        Key::optional(
            "remove",
            "JSON members and items that are taken out.",
            &POINTERS,
        ),
        Key::optional(
            "replace",
            "JSON values that others take the place of.",
            &REPLACE,
        ),
        Key::optional(
            "round",
            "JSON numbers, and those in JSON lists, that lose the digits behind so many after the point.",
            &ROUND,
        ),
        Key::usually(
            "drop_logprobs",
            Usual::Flag(false),
            "Whether all log probabilities of tokens are taken out.",
            &FLAG,
        ),
        Key::optional(
            "grpc_remove",
            "Fields of gRPC messages that are taken out.",
            &FIELD_PATHS,
        ),
    ],
);

static POINTERS: Form = Form::list(&POINTER);
static POINTER: Form = Form::text_like(
    "a JSON pointer (RFC 6901) such as \"/a/0/b\", with * for every member or item",
    "^/",
);
static REPLACE: Form = Form::map_of_some(POINTER_NAME, &ANY_JSON);
static ROUND: Form = Form::map_of_some(POINTER_NAME, &DIGITS);
static DIGITS: Form = Form::whole(0, MAX_DIGITS);
static FIELD_PATHS: Form = Form::list(&FIELD_PATH);
static FIELD_PATH: Form = Form::text_like(
    "field numbers with dots between them, such as \"5.2\", at most 32 of them",
    "^[1-9][0-9]*(\\.[1-9][0-9]*)*$",
);
const POINTER_NAME: &str = "a JSON pointer, in which a step may be *";

pub(super) fn read_fields(node: &Node<'_>) -> FieldRules {
    let mut rules = FieldRules::default();
    let Some(object) = node.object() else {
        return rules;
    };
    if let Some(list) = object.get("remove") {
        rules.remove = list.items().iter().filter_map(pointer_at).collect();
    }
    if let Some(map) = object.object("replace") {
        let read =
            |(key, node): (&str, Node<'_>)| Some((pointer(&node, key)?, node.value()?.clone()));
        rules.replace = map.entries().into_iter().filter_map(read).collect();
    }
    if let Some(map) = object.object("round") {
        rules.round = map.entries().into_iter().filter_map(digits).collect();
    }
    rules.drop_logprobs = object.flag("drop_logprobs").unwrap_or_default();
    if let Some(list) = object.get("grpc_remove") {
        rules.grpc_remove = list.items().iter().filter_map(field_path).collect();
    }
    check(&object, &rules);
    rules
}

/// One field, one rule: of two, nobody could say which was meant.
fn check(object: &Object<'_>, rules: &FieldRules) {
    let mut all: Vec<&Pointer> = rules.remove.iter().collect();
    all.extend(rules.replace.iter().map(|(pointer, _)| pointer));
    all.extend(rules.round.iter().map(|(pointer, _)| pointer));
    let count = all.len() + rules.grpc_remove.len();
    if count > MAX_RULES {
        object.node().problem(
            format!("{count} rules for fields"),
            format!("at most {MAX_RULES}"),
        );
    }
    base::sort::sort(&mut all);
    for pair in all.windows(2) {
        if let [one, other] = pair
            && one == other
        {
            object
                .node()
                .problem(format!("two rules for {one}"), "one rule for each field");
        }
    }
}

impl core::fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for segment in &self.0 {
            match segment {
                Segment::Any => formatter.write_str("/*")?,
                Segment::Name(name) => {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    write!(formatter, "/{name}")?;
                }
            }
        }
        Ok(())
    }
}

fn pointer_at(node: &Node<'_>) -> Option<Pointer> {
    pointer(node, node.text()?)
}

fn pointer(node: &Node<'_>, text: &str) -> Option<Pointer> {
    let wrong = |what: String| {
        node.problem(
            what,
            "a JSON pointer (RFC 6901) such as \"/a/0/b\", with * for every member or item",
        );
        None
    };
    let Some(rest) = text.strip_prefix('/') else {
        return wrong(format!("{text:?}, which does not begin with a slash"));
    };
    let mut segments = Vec::new();
    for part in rest.split('/') {
        if segments.len() == MAX_STEPS {
            return wrong(format!("a pointer of more than {MAX_STEPS} steps"));
        }
        segments.push(match part {
            "*" => Segment::Any,
            "**" => return wrong("\"**\", which has no meaning".to_owned()),
            _ => match unescape(part) {
                Some(name) => Segment::Name(name),
                None => return wrong(format!("{part:?} with a ~ that is neither ~0 nor ~1")),
            },
        });
    }
    Some(Pointer(segments))
}

fn unescape(part: &str) -> Option<String> {
    let mut pieces = part.split('~');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (character, rest) = match piece.split_at_checked(1)? {
            ("0", rest) => ('~', rest),
            ("1", rest) => ('/', rest),
            _ => return None,
        };
        name.push(character);
        name.push_str(rest);
    }
    Some(name)
}

fn digits((key, node): (&str, Node<'_>)) -> Option<(Pointer, u8)> {
    let pointer = pointer(&node, key)?;
    Some((pointer, u8::try_from(node.whole()?).ok()?))
}

fn field_path(node: &Node<'_>) -> Option<Vec<u32>> {
    let number = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_digit()) && !part.starts_with('0');
        let number = part.parse::<u32>().ok()?;
        (plain && number <= MAX_FIELD_NUMBER).then_some(number)
    };
    node.parsed(|text| {
        let path: Option<Vec<u32>> = text.split('.').map(number).collect();
        path.filter(|path| path.len() <= MAX_STEPS)
    })
}
