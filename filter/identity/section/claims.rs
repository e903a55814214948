//! `claims` of a provider: where in a token the policy's names are found.

use std::collections::BTreeMap;

use base::policy::{Form, Key, Kind, Node, Object, TEXT, Usual};

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

/// `claims` of a provider.
pub(super) static CLAIMS: Form = Form::of(Kind::Map {
    names: "a name of the policy's own for a claim",
    of: &CLAIM,
    keys: &[
        Key::usually(
            "subject",
            Usual::Text("sub"),
            "The claim that names the subject.",
            &CLAIM,
        ),
        Key::optional(
            "groups",
            "The claim that lists groups. Without it, nobody has any.",
            &CLAIM,
        ),
    ],
    may_be_empty: true,
});

/// Where a claim stands.
static CLAIM: Form = Form::either(&[&CLAIM_PATH, &SEPARATED]).named("claim");

/// Names separated by dots, or a JSON pointer.
pub(super) static CLAIM_PATH: Form =
    Form::text("the claim's name, names with dots between them, or a JSON pointer (RFC 6901)");

static SEPARATED: Form = Form::object(&[
    Key::required("at", "Where the claim stands.", &CLAIM_PATH),
    Key::optional(
        "separator",
        "What stands between the values of a claim that is one string. For `scope` and `scp` it is a space anyway.",
        &TEXT,
    ),
]);

pub(super) fn read(provider: &Object<'_>) -> Claims {
    let mut claims = Claims {
        subject: ClaimPath::new("sub"),
        groups: None,
        others: BTreeMap::new(),
    };
    let Some(object) = provider.object("claims") else {
        return claims;
    };
    if let Some(path) = object.get("subject").and_then(|node| read_path(&node)) {
        claims.subject = path;
    }
    claims.groups = object.get("groups").and_then(|node| read_path(&node));
    for (name, node) in object.entries() {
        if let Some(path) = read_path(&node) {
            claims.others.insert(name.to_owned(), path);
        }
    }
    claims
}

/// A string, or `{"at": "...", "separator": " "}`.
fn read_path(node: &Node<'_>) -> Option<ClaimPath> {
    let (form, node) = node.pick()?;
    if form == 0 {
        return node.text().map(ClaimPath::new);
    }
    let object = node.object()?;
    let at = object.get("at")?;
    let mut path = ClaimPath::new(at.text()?);
    path.separator = object.text("separator").or(path.separator);
    Some(path)
}
