//! One identity provider of the policy.

use core::time::Duration;

use super::algorithm::{self, Algorithm};
use super::claims::{self, ClaimPath, Claims};
use super::keys::{self, KeySource};
use crate::config::glob::Glob;
use crate::config::reader::{Node, Object};
use crate::config::units;

/// Whether a token stands for a person or for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody who logged in.
    Person,
    /// A program with a credential of its own.
    Service,
}

impl Kind {
    /// The name in conditions, headers and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }
}

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

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
const MAX_LEEWAY: Duration = Duration::from_secs(300);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

pub(super) fn read(node: &Node<'_>) -> Option<Provider> {
    let object = node.object()?;
    let name = text(&object, "name");
    let issuer = text(&object, "issuer");
    let audiences = object
        .required("audiences")
        .map(|node| node.strings())
        .unwrap_or_default();
    let audience_claim = object.optional("audience_claim").map_or_else(
        || Some(ClaimPath::new("aud")),
        |node| node.string().map(ClaimPath::new),
    );
    let keys = object
        .required("keys")
        .and_then(|node| keys::read(&node, issuer.as_deref()));
    let algorithms = object
        .optional("algorithms")
        .map_or_else(Algorithm::usual, |node| {
            let named = algorithm::read(&node);
            if named.iter().any(|one| one.is_symmetric())
                && matches!(keys, Some(KeySource::Fetched(_)))
            {
                node.problem(
                    "a symmetric algorithm for keys that are fetched",
                    "HS256, HS384 and HS512 with keys under \"jwks\" only: a secret isn't published",
                );
            }
            named
        });
    let types = object
        .optional("types")
        .map(|node| node.strings().iter().map(|one| media_type(one)).collect())
        .unwrap_or_default();
    let clients = object
        .optional("clients")
        .map(|node| node.strings().iter().map(|one| Glob::new(one)).collect())
        .unwrap_or_default();
    let kind = object
        .optional("kind")
        .and_then(|node| node.one_of(&["auto", "person", "service"]))
        .and_then(|index| match index {
            1 => Some(Kind::Person),
            2 => Some(Kind::Service),
            _ => None,
        });
    let ignore_overage = object
        .optional("groups_overage")
        .and_then(|node| node.one_of(&["refuse", "ignore"]))
        == Some(1);
    let claims = claims::read(&object);
    let leeway = object
        .optional("leeway")
        .map_or(Some(DEFAULT_LEEWAY), |node| {
            units::duration(&node, Duration::ZERO, MAX_LEEWAY)
        });
    let max_lifetime = object
        .optional("max_lifetime")
        .map(|node| units::duration(&node, Duration::from_secs(1), YEAR));
    object.close();
    Some(Provider {
        name: name?,
        issuer: issuer?,
        audiences,
        audience_claim: audience_claim?,
        keys: keys?,
        algorithms,
        types,
        clients,
        kind,
        ignore_overage,
        claims,
        leeway: leeway?,
        max_lifetime: match max_lifetime {
            None => None,
            Some(read) => Some(read?),
        },
    })
}

fn text(object: &Object<'_>, key: &'static str) -> Option<String> {
    object
        .required(key)
        .and_then(|node| node.string().map(str::to_owned))
}

/// RFC 7515, section 4.1.9: `application/` may be left out, and case doesn't count.
pub(crate) fn media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        _ => lower,
    }
}
