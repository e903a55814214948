//! `claims` of a provider: where in a token the policy's names are found.

use std::collections::BTreeMap;

use crate::config::reader::{Node, Object};

/// Where a claim stands and how its text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    /// Names separated by dots, or a JSON pointer (RFC 6901) when it begins with a slash.
    pub path: String,
    /// What separates the values of a claim that is one string; without it, the string is one
    /// value.
    pub separator: Option<String>,
}

impl ClaimPath {
    /// `scope` and `scp` are lists with spaces between them wherever they are strings (RFC 8693,
    /// section 4.2).
    pub(super) fn new(path: &str) -> Self {
        let separator = matches!(path, "scope" | "scp" | "/scope" | "/scp").then(|| " ".to_owned());
        Self {
            path: path.to_owned(),
            separator,
        }
    }
}

/// What a provider's tokens say about their subject, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The claim that names the subject.
    pub subject: ClaimPath,
    /// The claim that lists groups, if there is one.
    pub groups: Option<ClaimPath>,
    /// Further claims for conditions, quotas and headers, by their name in the policy.
    pub others: BTreeMap<String, ClaimPath>,
}

pub(super) fn read(provider: &Object<'_>) -> Claims {
    let mut claims = Claims {
        subject: ClaimPath::new("sub"),
        groups: None,
        others: BTreeMap::new(),
    };
    if let Some(members) = provider.optional("claims").and_then(|node| node.object()) {
        for (name, node) in members.entries() {
            let Some(path) = read_path(&node) else {
                continue;
            };
            match name {
                "subject" => claims.subject = path,
                "groups" => claims.groups = Some(path),
                _ => {
                    claims.others.insert(name.to_owned(), path);
                }
            }
        }
    }
    claims
}

/// A string, or `{"at": "...", "separator": " "}`.
fn read_path(node: &Node<'_>) -> Option<ClaimPath> {
    if !node.value().is_object() {
        return node.string().map(ClaimPath::new);
    }
    let object = node.object()?;
    let at = object
        .required("at")
        .and_then(|node| node.string().map(ClaimPath::new));
    let separator = object
        .optional("separator")
        .and_then(|node| node.string().map(str::to_owned));
    object.close();
    let mut path = at?;
    path.separator = separator.or(path.separator);
    Some(path)
}
