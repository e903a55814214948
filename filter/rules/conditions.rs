//! What a rule's `when` can say: one table, in the order of what must be known to judge it.
//!
//! This is the one place in which a condition is registered: its key, what it is for, what stands
//! under it, and how it is judged.

use std::rc::Rc;

use base::glob::Glob;
use base::identity::Kind;
use base::operation::{Model, OPERATION_GLOBS, UNKNOWN, operation_globs};
use base::policy::{Form, GLOBS, Key, Node, TEXT, TEXTS, header_token};
use regex_lite::Regex;

use super::facts::{Body, Head};
use super::truth::Truth;
use base::identity::Identity;

/// A key of `when`.
pub(super) struct Condition {
    /// Its name, what it is for, and what stands under it.
    pub(super) key: Key,
    /// Reads what stands under the key. What is wrong has been noted, and the policy is refused; the
    /// test that it gives is of no matter then.
    pub(super) read: fn(&Node<'_>, &mut Reading<'_>) -> Test,
}

/// How a condition that is written is judged, by what must be known for it.
#[derive(Clone)]
pub(super) enum Test {
    /// The caller tells.
    Caller(Rc<dyn Fn(&Identity) -> bool>),
    /// The request's head tells.
    Head(Rc<dyn Fn(&Head<'_>) -> Truth>),
    /// Judged on the body; unknown until that has been read.
    Body(Rc<dyn Fn(&Body<'_>) -> Truth>),
}

/// What conditions refer to.
pub struct Names<'a> {
    /// Of providers.
    pub providers: &'a [String],
    /// Of claims that some provider defines.
    pub claims: &'a [String],
    /// Of patterns, in the policy's order.
    pub patterns: &'a [String],
    /// Other names of models, each with the one by which rules know it.
    pub aliases: &'a [(String, String)],
}

/// What is known while conditions are read.
pub(super) struct Reading<'a> {
    pub(super) names: &'a Names<'a>,
    /// The patterns that conditions ask for, by their places in the policy.
    pub(super) patterns: Vec<usize>,
    /// The headers that conditions ask for, in lower case.
    pub(super) headers: Vec<String>,
    /// Whether a condition asks for what nobody has a name for, and not only by a glob.
    pub(super) names_unknown: bool,
}

/// All conditions. A `when` holds when all that it says hold.
pub(super) const CONDITIONS: &[Condition] = &[
    Condition {
        key: Key::optional("provider", "The names of identity providers.", &TEXTS),
        read: |node, reading| {
            let names = reading.names.providers;
            let places = node.all_known(names).into_iter();
            let wanted: Vec<String> = places
                .filter_map(|place| names.get(place).cloned())
                .collect();
            caller(move |identity| wanted.contains(&identity.provider))
        },
    },
    Condition {
        key: Key::optional("subject", "Verified subjects.", &GLOBS),
        read: |node, _| {
            let globs = node.globs();
            caller(move |identity| any(&globs, &identity.subject))
        },
    },
    Condition {
        key: Key::optional(
            "client",
            "The verified client, as the token's `azp` or `client_id` names it.",
            &GLOBS,
        ),
        read: |node, _| {
            let globs = node.globs();
            caller(move |identity| {
                let client = identity.client.as_deref();
                client.is_some_and(|client| any(&globs, client))
            })
        },
    },
    Condition {
        key: Key::optional("kind", "Whether a person or a program is calling.", &KINDS),
        read: |node, _| {
            let items = node.items();
            let places = items.iter().filter_map(Node::name);
            let kinds: Vec<Kind> = places
                .filter_map(|place| Kind::ALL.get(place).copied())
                .collect();
            caller(move |identity| kinds.contains(&identity.kind))
        },
    },
    Condition {
        key: Key::optional("group", "Verified groups, any of which will do.", &GLOBS),
        read: |node, _| {
            let globs = node.globs();
            caller(move |identity| identity.groups.iter().any(|group| any(&globs, group)))
        },
    },
    Condition {
        key: Key::optional(
            "claim",
            "Claims that providers define; of each that is named, a value must fit.",
            &CLAIMS,
        ),
        read: read_claims,
    },
    Condition {
        key: Key::optional("method", "Request methods, in any case.", &METHODS),
        read: |node, _| {
            let items = node.items();
            // A glob would never fit.
            let method = |text: &str| header_token(text).filter(|_| !text.contains('*'));
            let methods = items.iter().filter_map(|item| item.parsed(method));
            let methods: Vec<String> = methods.map(|text| text.to_ascii_uppercase()).collect();
            head(move |head| methods.iter().any(|method| method == head.method))
        },
    },
    Condition {
        key: Key::optional(
            "host",
            "The request's authority without its port, in any case.",
            &HOSTS,
        ),
        read: |node, _| {
            let items = node.items();
            let globs: Vec<Glob> = items.iter().filter_map(read_host).collect();
            head(move |head| any(&globs, head.host))
        },
    },
    Condition {
        key: Key::optional(
            "path",
            "The path in its normal form, without its query.",
            &PATHS,
        ),
        read: |node, _| {
            let items = node.items();
            let paths: Vec<PathMatch> = items.iter().filter_map(read_path).collect();
            head(move |head| paths.iter().any(|path| path.matches(head.path)))
        },
    },
    Condition {
        key: Key::optional(
            "operation",
            "What is asked for. A rule that allows covers `unknown` only if that name stands here.",
            &OPERATION_GLOBS,
        ),
        read: |node, reading| {
            let globs = operation_globs(node);
            reading.names_unknown |= globs.iter().any(|glob| glob.as_str() == UNKNOWN);
            head(move |head| match head.operation {
                Some(operation) => Truth::from(any(&globs, operation)),
                None => Truth::Unknown,
            })
        },
    },
    Condition {
        key: Key::optional(
            "header",
            "Request headers by their names; each that is named must be there with a value that fits. If only some of its values fit, rules that allow don't apply and all others do.",
            &HEADERS,
        ),
        read: read_headers,
    },
    Condition {
        key: Key::optional(
            "model",
            "The model that is asked for, by the name that `/models` has for it. Where a request is about a model that isn't named and has no default, or about several (an adapter, a fallback, the source of a copy) of which only some fit, rules that allow don't apply and all others do.",
            &GLOBS,
        ),
        read: |node, reading| {
            let globs = node.globs();
            for item in node.items() {
                let text = item.value().and_then(serde_json::Value::as_str);
                let mut aliases = reading.names.aliases.iter();
                if let Some((alias, name)) = aliases.find(|(alias, _)| Some(alias.as_str()) == text)
                {
                    item.problem(
                        format!("{alias:?}, another name of {name:?}"),
                        format!("{name:?}, by which rules know that model"),
                    );
                }
            }
            body(move |body| match body.model {
                Model::Named(model) => of_all(&globs, body.others, Some(model)),
                Model::Nothing => of_all(&globs, body.others, None),
                Model::Unnamed => Truth::Unknown,
            })
        },
    },
    Condition {
        key: Key::optional(
            "prompt",
            "Names of patterns, any of which some text of the request fits. Where some of it can't be read (token ids, a document in another format) and the rest doesn't fit, rules that allow don't apply and all others do.",
            &TEXTS,
        ),
        read: |node, reading| {
            let places = node.all_known(reading.names.patterns);
            reading.patterns.extend(&places);
            body(
                move |body| match places.iter().any(|place| body.prompts.fit(*place)) {
                    true => Truth::Yes,
                    false if body.unread => Truth::Unknown,
                    false => Truth::No,
                },
            )
        },
    },
    Condition {
        key: Key::optional("items", "How many predictions are asked for.", &ITEMS),
        read: |node, _| {
            let over = node.object().and_then(|object| object.whole("over"));
            body(move |body| match (over, body.items) {
                (Some(over), Some(items)) => Truth::from(items > over),
                (None, _) => Truth::Yes,
                (Some(_), None) => Truth::Unknown,
            })
        },
    },
];

/// In the order of [`Kind::ALL`].
static KIND: Form = Form::names(&[Kind::Person.name(), Kind::Service.name()]);
static KINDS: Form = Form::list(&KIND);
static CLAIMS: Form = Form::map_of_some("the name of a claim under a provider's `claims`", &GLOBS);
static HEADERS: Form = Form::map_of_some("the name of a header, in any case", &GLOBS);
static ITEMS: Form = Form::object(&[Key::required(
    "over",
    "Holds for more than so many.",
    &COUNT,
)]);
static COUNT: Form = Form::whole(0, u64::MAX);
static PATHS: Form = Form::list(&PATH);
static PATH: Form = Form::either(&[&PATH_GLOB, &PATH_REGEX]);
static PATH_GLOB: Form = Form::text_like(
    "a path that begins with / or *; a * stands for any characters, / among them",
    "^[/*]",
);
static METHODS: Form = Form::list(&METHOD);
static METHOD: Form = Form::text_like("a method, such as \"POST\"", "^[!#$%&'+.^_`|~0-9A-Za-z-]+$");
static HOSTS: Form = Form::list(&HOST);
static HOST: Form = Form::text_like(
    "a host without a port; a * stands for any characters",
    "^([^:]*|\\[.*\\])$",
);
static PATH_REGEX: Form = Form::object(&[Key::required(
    "regex",
    "A regular expression that matches anywhere in the path unless it is anchored.",
    &TEXT,
)]);

fn caller(holds: impl Fn(&Identity) -> bool + 'static) -> Test {
    Test::Caller(Rc::new(holds))
}

fn head<T: Into<Truth>>(holds: impl Fn(&Head<'_>) -> T + 'static) -> Test {
    Test::Head(Rc::new(move |head| holds(head).into()))
}

fn body(holds: impl Fn(&Body<'_>) -> Truth + 'static) -> Test {
    Test::Body(Rc::new(holds))
}

fn any(globs: &[Glob], text: &str) -> bool {
    globs.iter().any(|glob| glob.matches(text))
}

fn read_claims(node: &Node<'_>, reading: &mut Reading<'_>) -> Test {
    let entries = node.object().map(|claims| claims.entries());
    let mut wanted = Vec::new();
    for (name, node) in entries.unwrap_or_default() {
        if !reading.names.claims.iter().any(|known| known == name) {
            node.problem(
                format!("the claim {name:?}, which no provider defines"),
                "a name under a provider's \"claims\"",
            );
        }
        wanted.push((name.to_owned(), node.globs()));
    }
    caller(move |identity| {
        wanted.iter().all(|(name, globs)| {
            let values = identity.claims.get(name);
            values.is_some_and(|values| values.iter().any(|value| any(globs, value)))
        })
    })
}

/// With a port, it would never fit.
fn read_host(node: &Node<'_>) -> Option<Glob> {
    node.parsed(|text| {
        let literal = text.starts_with('[') && text.ends_with(']');
        let fits = literal || !text.contains(':');
        fits.then(|| Glob::new(&text.to_ascii_lowercase()))
    })
}

fn read_headers(node: &Node<'_>, reading: &mut Reading<'_>) -> Test {
    let entries = node.object().map(|headers| headers.entries());
    let mut wanted = Vec::new();
    for (name, node) in entries.unwrap_or_default() {
        let Some(name) = header_token(name) else {
            node.problem(
                format!("the header {name:?}"),
                "the name of a header (RFC 9110, section 5.1)",
            );
            continue;
        };
        reading.headers.push(name.clone());
        wanted.push((name, node.globs()));
    }
    head(move |head| {
        let fits = wanted.iter().map(|(name, globs)| {
            let sent = head.headers.iter().find(|header| header.name == *name);
            let values = sent.map(|header| header.values.as_slice());
            all_or_none(values.unwrap_or_default(), globs)
        });
        fits.fold(Truth::Yes, Truth::and)
    })
}

/// Whether all models of a request fit, or none does: which of several answers can't be told.
fn of_all(globs: &[Glob], others: &[String], model: Option<&str>) -> Truth {
    let names = others.iter().map(String::as_str).chain(model);
    let mut fit = names.map(|name| any(globs, name));
    match fit.next() {
        None => Truth::No,
        Some(first) if fit.all(|fits| fits == first) => Truth::from(first),
        Some(_) => Truth::Unknown,
    }
}

/// Which of several values of a header counts, is the model server's to say; so it is whether one
/// with commas is a list (RFC 9110, section 5.3).
fn all_or_none(values: &[String], globs: &[Glob]) -> Truth {
    let fitting = values.iter().filter(|value| any(globs, value)).count();
    let listed = || {
        let mut items = values.iter().flat_map(|value| value.split(','));
        items.any(|item| any(globs, item.trim()))
    };
    match fitting {
        0 if listed() => Truth::Unknown,
        0 => Truth::No,
        all if all == values.len() => Truth::Yes,
        _ => Truth::Unknown,
    }
}

enum PathMatch {
    Glob(Glob),
    Regex(Regex),
}

impl PathMatch {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(path),
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

fn read_path(node: &Node<'_>) -> Option<PathMatch> {
    let (form, node) = node.pick()?;
    if form == 0 {
        return node.parsed(|text| {
            let begins = text.starts_with(['/', '*']);
            begins.then(|| PathMatch::Glob(Glob::new(text)))
        });
    }
    let node = node.object()?.get("regex")?;
    let text = node.text()?;
    match Regex::new(text) {
        Ok(regex) => Some(PathMatch::Regex(regex)),
        Err(error) => {
            node.problem(
                format!("{text:?}, which does not compile: {error}"),
                "a regular expression",
            );
            None
        }
    }
}
