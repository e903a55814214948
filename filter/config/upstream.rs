//! `/upstream` of the policy: what the model server is told instead of the caller's token.

use super::glob::Glob;
use super::header::header_name;
use super::operations;
use super::reader::{Node, Object};

/// A header with a value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The header, in lower case.
    pub header: String,
    /// Its value, with what came from the environment filled in.
    pub value: String,
}

impl core::fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Credential")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// A credential and the requests that it is for. An empty list stands for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// The Envoy clusters that requests are routed to.
    pub clusters: Vec<Glob>,
    /// The operations.
    pub operations: Vec<Glob>,
    /// What they carry.
    pub credential: Credential,
}

/// Something about the verified caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Who it is.
    Subject,
    /// Its groups.
    Groups,
    /// The provider's name in the policy.
    Provider,
    /// The token's `iss`.
    Issuer,
    /// The token's `azp` or `client_id`.
    Client,
    /// `person` or `service`.
    Kind,
    /// A claim, by its name in the policy.
    Claim(String),
}

/// `/upstream`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Service credentials; the first whose purpose fits is put in.
    pub credentials: Vec<Purpose>,
    /// Headers, in lower case, that tell the model server about the caller.
    pub identity_headers: Vec<(String, Fact)>,
}

impl Upstream {
    /// Whether the credential depends on the cluster that a request goes to.
    #[must_use]
    pub fn asks_for_cluster(&self) -> bool {
        self.credentials.iter().any(|one| !one.clusters.is_empty())
    }

    /// The credential for a request, if there is one for it. There is none where it depends on a
    /// cluster that is not known: it could be another server's.
    #[must_use]
    pub fn credential(&self, cluster: Option<&str>, operation: &str) -> Option<&Credential> {
        if cluster.is_none() && self.asks_for_cluster() {
            return None;
        }
        let fits = |globs: &[Glob], text: Option<&str>| {
            globs.is_empty() || text.is_some_and(|text| globs.iter().any(|glob| glob.matches(text)))
        };
        self.credentials
            .iter()
            .find(|one| fits(&one.clusters, cluster) && fits(&one.operations, Some(operation)))
            .map(|one| &one.credential)
    }
}

pub(super) fn read(node: &Node<'_>, claims: &[String]) -> Option<Upstream> {
    let object = node.object()?;
    let mut credentials = Vec::new();
    if let Some(list) = object.optional("credentials") {
        credentials.extend(list.non_empty_array().iter().filter_map(read_purpose));
    }
    // What holds for all the others comes last.
    if let Some(node) = object.optional("credential") {
        let credential = node.object()?;
        let read = read_credential(&credential);
        credential.close();
        credentials.push(Purpose {
            clusters: Vec::new(),
            operations: Vec::new(),
            credential: read?,
        });
    }
    let identity_headers = object
        .optional("identity_headers")
        .map(|node| read_headers(&node, claims))
        .unwrap_or_default();
    check_headers(&object, &credentials, &identity_headers);
    object.close();
    Some(Upstream {
        credentials,
        identity_headers,
    })
}

/// Of two values for one header, the model server would see one.
fn check_headers(object: &Object<'_>, credentials: &[Purpose], facts: &[(String, Fact)]) {
    for (index, (name, _)) in facts.iter().enumerate() {
        let twice = facts
            .iter()
            .take(index)
            .map(|(other, _)| other)
            .chain(credentials.iter().map(|one| &one.credential.header))
            .any(|other| other == name);
        if twice {
            object.node().problem(
                format!("two values for the header {name:?}"),
                "a header of its own for each fact, and for the credential",
            );
        }
    }
}

fn read_purpose(node: &Node<'_>) -> Option<Purpose> {
    let object = node.object()?;
    let clusters: Vec<Glob> = object
        .optional("cluster")
        .map(|list| list.strings().iter().map(|one| Glob::new(one)).collect())
        .unwrap_or_default();
    let operations: Vec<Glob> = object
        .optional("operation")
        .map(|list| operations::read(&list))
        .unwrap_or_default();
    if clusters.is_empty() && operations.is_empty() {
        node.problem(
            "a credential for every request",
            "\"cluster\" or \"operation\" (a credential for all others stands under \"credential\")",
        );
    }
    let credential = read_credential(&object);
    object.close();
    Some(Purpose {
        clusters,
        operations,
        credential: credential?,
    })
}

fn read_credential(object: &Object<'_>) -> Option<Credential> {
    let header = object
        .required("header")
        .and_then(|node| header_name(&node));
    let value = object.required("value").and_then(|node| node.secret());
    Some(Credential {
        header: header?,
        value: value?,
    })
}

fn read_headers(node: &Node<'_>, claims: &[String]) -> Vec<(String, Fact)> {
    let Some(object) = node.object() else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (key, fact) in [
        ("subject", Fact::Subject),
        ("groups", Fact::Groups),
        ("provider", Fact::Provider),
        ("issuer", Fact::Issuer),
        ("client", Fact::Client),
        ("kind", Fact::Kind),
    ] {
        if let Some(name) = object.optional(key).and_then(|node| header_name(&node)) {
            headers.push((name, fact));
        }
    }
    if let Some(members) = object.optional("claims").and_then(|node| node.object()) {
        for (claim, node) in members.entries() {
            if !claims.iter().any(|known| known == claim) {
                node.problem(
                    format!("the claim {claim:?}, which no provider defines"),
                    "a name under a provider's \"claims\"",
                );
            }
            if let Some(name) = header_name(&node) {
                headers.push((name, Fact::Claim(claim.to_owned())));
            }
        }
    }
    object.close();
    headers
}
