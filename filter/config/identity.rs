//! `/identity` of the policy: who may issue tokens, and where a request carries one.

use core::time::Duration;
use std::collections::BTreeMap;

use serde_json::Value;

use super::header::header_name;
use super::reader::{Node, Object};
use super::units;

/// Signature algorithms a policy can name (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them, by the name that a token's header gives them.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("RS256", Self::Rs256),
        ("ES256", Self::Es256),
        ("EdDSA", Self::EdDsa),
    ];
}

/// Where a token may stand in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlace {
    /// The header, in lower case.
    pub header: String,
    /// The scheme before the token (RFC 9110, section 11.1), compared without regard to case.
    pub scheme: Option<String>,
}

/// One identity provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name in rules and records.
    pub name: String,
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// A token must be for one of these.
    pub audiences: Vec<String>,
    /// Its public keys as JSON Web Keys (RFC 7517), each with its path in the policy.
    pub keys: Vec<(String, Value)>,
    /// What its tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// The dotted path of the claim that names the subject.
    pub subject_claim: String,
    /// The dotted path of the claim that lists groups, if there is one.
    pub groups_claim: Option<String>,
    /// Further claims for conditions and quotas: name in the policy -> dotted path.
    pub claims: BTreeMap<String, String>,
    /// How far the clocks of the provider and of Envoy may differ.
    pub leeway: Duration,
    /// The longest time from `iat` (or `nbf`) to `exp` that is accepted.
    pub max_lifetime: Option<Duration>,
}

/// `/identity`.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Providers in the policy's order; issuers are unique.
    pub providers: Vec<Provider>,
    /// Places to look for a token, in order.
    pub token: Vec<TokenPlace>,
}

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
const MOST_LEEWAY: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn read(node: &Node<'_>) -> Option<Identity> {
    let object = node.object()?;
    let mut providers: Vec<Provider> = Vec::new();
    if let Some(list) = object.required("providers") {
        for item in list.non_empty_array() {
            let Some(provider) = read_provider(&item) else {
                continue;
            };
            if providers.iter().any(|other| other.name == provider.name) {
                item.problem(
                    format!("a second provider named {:?}", provider.name),
                    "a name of its own",
                );
            }
            if providers
                .iter()
                .any(|other| other.issuer == provider.issuer)
            {
                item.problem(
                    format!("a second provider with the issuer {:?}", provider.issuer),
                    "an issuer of its own, since tokens are told apart by it",
                );
            }
            providers.push(provider);
        }
    }
    let token = object.optional("token").map_or_else(
        || {
            vec![TokenPlace {
                header: "authorization".to_owned(),
                scheme: Some("Bearer".to_owned()),
            }]
        },
        |list| {
            list.non_empty_array()
                .iter()
                .filter_map(read_place)
                .collect()
        },
    );
    object.close();
    Some(Identity { providers, token })
}

fn read_place(node: &Node<'_>) -> Option<TokenPlace> {
    let object = node.object()?;
    let header = object
        .required("header")
        .and_then(|node| header_name(&node));
    let scheme = object
        .optional("scheme")
        .and_then(|node| node.string().map(str::to_owned));
    object.close();
    Some(TokenPlace {
        header: header?,
        scheme,
    })
}

fn read_provider(node: &Node<'_>) -> Option<Provider> {
    let object = node.object()?;
    let name = object
        .required("name")
        .and_then(|node| node.string().map(str::to_owned));
    let issuer = object
        .required("issuer")
        .and_then(|node| node.string().map(str::to_owned));
    let audiences = object
        .required("audiences")
        .map(|node| node.strings())
        .unwrap_or_default();
    let keys = object
        .required("keys")
        .map(|node| read_keys(&node))
        .unwrap_or_default();
    let algorithms = object.optional("algorithms").map_or_else(
        || Algorithm::NAMES.iter().map(|(_, one)| *one).collect(),
        |node| read_algorithms(&node),
    );
    let (subject_claim, groups_claim, claims) = read_claims(&object);
    let leeway = object
        .optional("leeway")
        .map_or(Some(DEFAULT_LEEWAY), |node| {
            units::duration(&node, Duration::ZERO, MOST_LEEWAY)
        });
    let max_lifetime = object
        .optional("max_lifetime")
        .map(|node| units::duration(&node, Duration::from_secs(1), DAY.saturating_mul(366)));
    object.close();
    Some(Provider {
        name: name?,
        issuer: issuer?,
        audiences,
        keys,
        algorithms,
        subject_claim,
        groups_claim,
        claims,
        leeway: leeway?,
        max_lifetime: match max_lifetime {
            None => None,
            Some(read) => Some(read?),
        },
    })
}

fn read_keys(node: &Node<'_>) -> Vec<(String, Value)> {
    let Some(object) = node.object() else {
        return Vec::new();
    };
    object.later("discover", "OIDC discovery of keys (\"discover\")");
    object.later("jwks_uri", "keys fetched from a \"jwks_uri\"");
    let mut keys = Vec::new();
    if let Some(set) = object.optional("jwks").and_then(|node| node.object()) {
        if let Some(list) = set.required("keys") {
            for key in list.array() {
                if key.object().is_some() {
                    keys.push((key.path().to_owned(), key.value().clone()));
                }
            }
        }
        set.close();
    } else if object.optional("discover").is_none() && object.optional("jwks_uri").is_none() {
        node.problem("no \"jwks\"", "the key \"jwks\" with a JSON Web Key Set");
    }
    object.close();
    keys
}

fn read_algorithms(node: &Node<'_>) -> Vec<Algorithm> {
    let names = Algorithm::NAMES.map(|(name, _)| name);
    node.non_empty_array()
        .iter()
        .filter_map(|item| {
            let index = item.one_of(&names)?;
            Algorithm::NAMES.get(index).map(|(_, one)| *one)
        })
        .collect()
}

fn read_claims(object: &Object<'_>) -> (String, Option<String>, BTreeMap<String, String>) {
    let mut subject = "sub".to_owned();
    let mut groups = None;
    let mut others = BTreeMap::new();
    if let Some(members) = object.optional("claims").and_then(|node| node.object()) {
        for (name, node) in members.entries() {
            let Some(path) = node.string().map(str::to_owned) else {
                continue;
            };
            match name {
                "subject" => subject = path,
                "groups" => groups = Some(path),
                _ => {
                    others.insert(name.to_owned(), path);
                }
            }
        }
    }
    (subject, groups, others)
}
