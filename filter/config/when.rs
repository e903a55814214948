//! `when` of a rule: the conditions under which it applies.

use regex_lite::Regex;

use super::glob::Glob;
use super::identity::Kind;
use super::operations;
use super::reader::Node;

/// A path condition.
#[derive(Clone, Debug)]
pub enum PathMatch {
    /// Written as a string.
    Glob(Glob),
    /// Written as `{"regex": "..."}`; matches anywhere unless anchored.
    Regex(Regex),
}

/// All keys must hold; of a key's list any value will do. An empty list stands for a key that
/// was not written.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// Names of providers.
    pub provider: Vec<String>,
    /// Verified subjects.
    pub subject: Vec<Glob>,
    /// Verified groups.
    pub group: Vec<Glob>,
    /// Claims by their name in the policy; each named claim must hold.
    pub claim: Vec<(String, Vec<Glob>)>,
    /// The verified client, as the token's `azp` or `client_id` names it.
    pub client: Vec<Glob>,
    /// Whether a person or a program is calling.
    pub kind: Vec<Kind>,
    /// Request methods, upper case.
    pub method: Vec<String>,
    /// The request's authority without a port, lower case.
    pub host: Vec<Glob>,
    /// The normalized path.
    pub path: Vec<PathMatch>,
    /// Operations.
    pub operation: Vec<Glob>,
    /// The model that is asked for.
    pub model: Vec<Glob>,
    /// Indices into the policy's patterns.
    pub prompt: Vec<usize>,
    /// Holds when the request asks for more predictions than this.
    pub items_over: Option<u64>,
    /// Must not hold.
    pub not: Option<Box<When>>,
}

/// Names that conditions refer to.
pub(super) struct Names<'a> {
    pub(super) providers: &'a [String],
    pub(super) claims: &'a [String],
    pub(super) patterns: &'a [String],
}

pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<When> {
    let object = node.object()?;
    let mut when = When::default();
    if object.entries().is_empty() {
        node.problem(
            "an empty condition",
            "at least one key, or no \"when\" at all for a rule that always applies",
        );
    }
    if let Some(list) = object.optional("provider") {
        when.provider = known(&list, names.providers)
            .into_iter()
            .filter_map(|index| names.providers.get(index).cloned())
            .collect();
    }
    let globs = |key| {
        object
            .optional(key)
            .map(|list| list.strings().iter().map(|text| Glob::new(text)).collect())
            .unwrap_or_default()
    };
    when.subject = globs("subject");
    when.group = globs("group");
    when.client = globs("client");
    when.model = globs("model");
    if let Some(list) = object.optional("kind") {
        when.kind = list
            .non_empty_array()
            .iter()
            .filter_map(read_kind)
            .collect();
    }
    if let Some(list) = object.optional("host") {
        when.host = list
            .strings()
            .iter()
            .map(|text| Glob::new(&text.to_ascii_lowercase()))
            .collect();
    }
    if let Some(list) = object.optional("method") {
        when.method = list
            .strings()
            .iter()
            .map(|text| text.to_ascii_uppercase())
            .collect();
    }
    if let Some(list) = object.optional("path") {
        when.path = list
            .non_empty_array()
            .iter()
            .filter_map(read_path)
            .collect();
    }
    if let Some(list) = object.optional("operation") {
        when.operation = operations::read(&list);
    }
    if let Some(list) = object.optional("prompt") {
        when.prompt = known(&list, names.patterns);
    }
    if let Some(claims) = object.optional("claim").and_then(|node| node.object()) {
        for (name, node) in claims.entries() {
            if !names.claims.iter().any(|known| known == name) {
                node.problem(
                    format!("the claim {name:?}, which no provider defines"),
                    "a name under a provider's \"claims\"",
                );
            }
            let values = node.strings().iter().map(|text| Glob::new(text)).collect();
            when.claim.push((name.to_owned(), values));
        }
    }
    if let Some(items) = object.optional("items").and_then(|node| node.object()) {
        when.items_over = items.required("over").and_then(|node| node.uint());
        items.close();
    }
    if let Some(inner) = object.optional("not") {
        when.not = read(&inner, names).map(Box::new);
    }
    object.later("header", "a condition on headers (\"header\")");
    object.later("body", "a condition on the body (\"body\")");
    object.later("size", "a condition on the size (\"size\")");
    object.close();
    Some(when)
}

/// A list of names that are defined elsewhere; gives their indices.
pub(super) fn known(list: &Node<'_>, names: &[String]) -> Vec<usize> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    list.non_empty_array()
        .iter()
        .filter_map(|item| item.one_of(&names))
        .collect()
}

fn read_path(node: &Node<'_>) -> Option<PathMatch> {
    if node.value().is_string() {
        return node.string().map(|text| PathMatch::Glob(Glob::new(text)));
    }
    let object = node.object()?;
    let regex = object.required("regex").and_then(|node| {
        let text = node.string()?;
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
    });
    object.close();
    regex
}

fn read_kind(node: &Node<'_>) -> Option<Kind> {
    let kinds = [Kind::Person, Kind::Service];
    let index = node.one_of(&kinds.map(Kind::name))?;
    kinds.get(index).copied()
}
