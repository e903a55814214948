//! `/upstream` of the policy: what the model server is told instead of the caller's token.

use base::glob::Glob;
use base::operation::{OPERATION_GLOBS, operation_globs};
use base::policy::{
    Form, GLOBS, HEADER, HEADER_OF_SECRET, Key, Node, Object, Presence, SECRET, header_name,
};

/// A header with a value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The header, in lower case.
    pub header: String,
    /// Its value, with what came from the environment filled in.
    pub value: String,
    /// What came from the environment.
    pub variables: Vec<String>,
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
pub struct ScopedCredential {
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
    pub credentials: Vec<ScopedCredential>,
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

/// `/upstream`.
pub static UPSTREAM: Form = Form::object(&[
    Key::optional(
        "credential",
        "The service credential that takes the place of the caller's token, for requests that none of `credentials` is for. Where one of those has `cluster` and the request's cluster can't be told, none is set, not even this one.",
        &CREDENTIAL,
    ),
    Key::optional(
        "credentials",
        "Service credentials for some requests; the first that fits is put in.",
        &CREDENTIALS,
    ),
    Key::optional(
        "identity_headers",
        "Headers that tell the model server who is calling. What callers send under these names is removed.",
        &IDENTITY_HEADERS,
    ),
]);

const HEADER_KEY: Key = Key::required("header", "The header that is set.", &HEADER_OF_SECRET);
const VALUE_KEY: Key = Key::required("value", "Its value, such as `Bearer ${KEY}`.", &SECRET);

static CREDENTIAL: Form = Form::object(&[HEADER_KEY, VALUE_KEY]);
static CREDENTIALS: Form = Form::list(&SCOPED);
static SCOPED: Form = Form::object_with(
    Presence::Some(&["cluster", "operation"]),
    &[
        Key::optional(
            "cluster",
            "The Envoy clusters that it is for. No route may look at the token's header or at headers that the filter sets; requests with headers that it takes out are refused.",
            &GLOBS,
        ),
        Key::optional(
            "operation",
            "The operations that it is for.",
            &OPERATION_GLOBS,
        ),
        HEADER_KEY,
        VALUE_KEY,
    ],
);

/// The keys are those of [`FACTS`], and `claims`.
static IDENTITY_HEADERS: Form = Form::object(&[
    Key::optional("subject", "Who it is.", &HEADER),
    Key::optional("groups", "Its groups, with commas between them.", &HEADER),
    Key::optional("provider", "The provider's name in the policy.", &HEADER),
    Key::optional("issuer", "The token's `iss`.", &HEADER),
    Key::optional("client", "The token's `azp` or `client_id`.", &HEADER),
    Key::optional("kind", "`person` or `service`.", &HEADER),
    Key::optional(
        "claims",
        "Headers for claims that a provider defines.",
        &CLAIMS,
    ),
]);

static CLAIMS: Form = Form::map_of_some("the name of a claim under a provider's `claims`", &HEADER);

const FACTS: [(&str, Fact); 6] = [
    ("subject", Fact::Subject),
    ("groups", Fact::Groups),
    ("provider", Fact::Provider),
    ("issuer", Fact::Issuer),
    ("client", Fact::Client),
    ("kind", Fact::Kind),
];

/// Reads `/upstream`. `claims` are those that some provider defines.
#[must_use]
pub fn read(node: &Node<'_>, claims: &[String]) -> Option<Upstream> {
    let object = node.object()?;
    let mut credentials = Vec::new();
    if let Some(list) = object.get("credentials") {
        credentials.extend(list.items().iter().filter_map(read_scoped));
    }
    // What holds for all the others comes last.
    if let Some(credential) = object.get("credential") {
        credentials.push(ScopedCredential {
            clusters: Vec::new(),
            operations: Vec::new(),
            credential: read_credential(&credential.object()?)?,
        });
    }
    let identity_headers = object
        .object("identity_headers")
        .map(|headers| read_headers(&headers, claims))
        .unwrap_or_default();
    check_headers(&object, &credentials, &identity_headers);
    Some(Upstream {
        credentials,
        identity_headers,
    })
}

/// Of two values for one header, the model server would see one.
fn check_headers(object: &Object<'_>, credentials: &[ScopedCredential], facts: &[(String, Fact)]) {
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

fn read_scoped(node: &Node<'_>) -> Option<ScopedCredential> {
    let object = node.object()?;
    let operations = object.get("operation");
    Some(ScopedCredential {
        clusters: object.globs("cluster"),
        operations: operations
            .map(|list| operation_globs(&list))
            .unwrap_or_default(),
        credential: read_credential(&object)?,
    })
}

fn read_credential(object: &Object<'_>) -> Option<Credential> {
    let header = object.get("header").and_then(|node| header_name(&node));
    let value = object.get("value").and_then(|node| node.resolved());
    let (header, value) = (header?, value?);
    Some(Credential {
        header,
        value: value.text,
        variables: value.values,
    })
}

fn read_headers(object: &Object<'_>, claims: &[String]) -> Vec<(String, Fact)> {
    let mut headers = Vec::new();
    for (key, fact) in FACTS {
        if let Some(name) = object.get(key).and_then(|node| header_name(&node)) {
            headers.push((name, fact));
        }
    }
    let named = object.object("claims");
    for (claim, node) in named.iter().flat_map(Object::entries) {
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
    headers
}
