//! One identity provider of the policy.

use core::time::Duration;

use base::glob::Glob;
use base::identity::Kind;
use base::policy::{Form, GLOBS, Key, Node, TEXT, TEXTS, Usual};

use super::algorithm::{self, ALGORITHMS, Algorithm};
use super::claims::{self, CLAIM_PATH, CLAIMS, ClaimPath, Claims};
use super::keys::{self, KEYS, KeySource};

/// One identity provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name in rules and records.
    pub name: String,
    /// The exact `iss` of its tokens. One that begins with `spiffe://` is a trust domain, whose
    /// JWT-SVIDs may have no `iss` and are known by their subject.
    pub issuer: String,
    /// A token must be for one of these.
    pub audiences: Vec<String>,
    /// The claim that names whom a token is for.
    pub audience_claim: ClaimPath,
    /// Where its keys come from.
    pub keys: KeySource,
    /// What its tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// The values of `typ` that are accepted, in lower case and without `application/`; any, if
    /// there are none.
    pub types: Vec<String>,
    /// The clients whose tokens are accepted; any, if there are none.
    pub clients: Vec<Glob>,
    /// Whether its tokens stand for people or programs; found out from each token if `None`.
    pub kind: Option<Kind>,
    /// Whether a token is taken whose groups are kept elsewhere; it then has none.
    pub ignore_overage: bool,
    /// Where its tokens say what.
    pub claims: Claims,
    /// How far the clocks of the provider and of Envoy may differ.
    pub leeway: Duration,
    /// The longest time from `iat` (or `nbf`) to `exp` that is accepted.
    pub max_lifetime: Option<Duration>,
}

const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// One provider.
pub(super) static PROVIDER: Form = Form::object(&[
    Key::required("name", "Its name in rules and records.", &TEXT),
    Key::required(
        "issuer",
        "The exact `iss` of its tokens. One that begins with `spiffe://` is a trust domain, whose JWT-SVIDs may have no `iss` and are known by their subject.",
        &TEXT,
    ),
    Key::required("audiences", "A token must be for one of these.", &TEXTS),
    Key::usually(
        "audience_claim",
        Usual::Text("aud"),
        "The claim that names whom a token is for.",
        &CLAIM_PATH,
    ),
    Key::required("keys", "Where its keys come from.", &KEYS),
    Key::usually(
        "algorithms",
        Usual::Words("all but the symmetric ones"),
        "What its tokens may be signed with (RFC 7518, section 3; RFC 8037, section 3.1). Symmetric ones go with keys that stand in the policy only.",
        &ALGORITHMS,
    ),
    Key::usually(
        "types",
        Usual::Words("any"),
        "The values of a token's `typ` that are accepted; `application/` may be left out.",
        &TEXTS,
    ),
    Key::usually(
        "clients",
        Usual::Words("any"),
        "The clients whose tokens are accepted.",
        &GLOBS,
    ),
    Key::usually(
        "kind",
        Usual::Text("auto"),
        "Whether its tokens stand for people or programs. `auto` takes a token for a program's by the marks that providers leave: a client that is its own subject, a SPIFFE ID, a Kubernetes service account, `idtyp: app`, `gty: client-credentials`, or a `preferred_username` that begins with `service-account-`.",
        &KIND,
    ),
    Key::usually(
        "groups_overage",
        Usual::Text("refuse"),
        "What becomes of a token whose groups the provider keeps elsewhere; with `ignore` it has none.",
        &OVERAGE,
    ),
    Key::usually(
        "claims",
        Usual::Empty,
        "Where its tokens say what. All but `subject` and `groups` are names of the policy's own, for conditions, quotas and headers.",
        &CLAIMS,
    ),
    Key::usually(
        "leeway",
        Usual::Text("30s"),
        "How far the clocks of the provider and of Envoy may differ.",
        &LEEWAY,
    ),
    Key::optional(
        "max_lifetime",
        "The longest time from `iat` (or `nbf`) to `exp` that is accepted.",
        &LIFETIME,
    ),
]);

static KIND: Form = Form::names(&["auto", "person", "service"]);
static OVERAGE: Form = Form::names(&["refuse", "ignore"]);
static LEEWAY: Form = Form::duration(Duration::ZERO, Duration::from_secs(300));
static LIFETIME: Form = Form::duration(Duration::from_secs(1), YEAR);

pub(super) fn read(node: &Node<'_>) -> Option<Provider> {
    let object = node.object()?;
    let name = object.text("name");
    let issuer = object.text("issuer");
    let keys = object
        .get("keys")
        .and_then(|node| keys::read(&node, issuer.as_deref()));
    let audience_claim = object.text("audience_claim");
    let fetched = matches!(keys, Some(KeySource::Fetched(_)));
    let algorithms = object
        .get("algorithms")
        .map_or_else(Algorithm::usual, |node| read_algorithms(&node, fetched));
    let types = object.texts("types");
    let kind = match object.name("kind") {
        Some(1) => Some(Kind::Person),
        Some(2) => Some(Kind::Service),
        _ => None,
    };
    let leeway = object.duration("leeway");
    let max_lifetime = object.get("max_lifetime").map(|node| node.duration());
    Some(Provider {
        audiences: object.texts("audiences"),
        types: types.iter().map(|one| media_type(one)).collect(),
        clients: object.globs("clients"),
        ignore_overage: object.name("groups_overage") == Some(1),
        claims: claims::read(&object),
        name: name?,
        issuer: issuer?,
        audience_claim: ClaimPath::new(&audience_claim?),
        keys: keys?,
        algorithms,
        kind,
        leeway: leeway?,
        max_lifetime: match max_lifetime {
            None => None,
            Some(read) => Some(read?),
        },
    })
}

fn read_algorithms(node: &Node<'_>, fetched: bool) -> Vec<Algorithm> {
    let named = algorithm::read(node);
    if fetched && named.iter().any(|one| one.is_symmetric()) {
        node.problem(
            "a symmetric algorithm for keys that are fetched",
            "HS256, HS384 and HS512 with keys under \"jwks\" only: a secret isn't published",
        );
    }
    named
}

/// RFC 7515, section 4.1.9: `application/` may be left out, and case doesn't count.
pub(crate) fn media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        _ => lower,
    }
}
