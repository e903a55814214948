//! `keys` of a provider: written in the policy, or fetched over an Envoy cluster.

use core::fmt;
use core::time::Duration;

use serde_json::Value;

use crate::config::reader::{Node, Object};
use crate::config::units;
use crate::config::url::Url;

/// Where a provider's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// They stand in the policy.
    Inline(Vec<InlineKey>),
    /// They are fetched, and fetched again.
    Fetched(Box<Fetch>),
}

/// A JSON Web Key (RFC 7517) and its path in the policy.
#[derive(Clone)]
pub struct InlineKey {
    /// A JSON pointer.
    pub path: String,
    /// The key; may be a secret one.
    pub jwk: Value,
}

impl fmt::Debug for InlineKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InlineKey")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The document that a provider's keys are found through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// The provider's metadata (OpenID Connect Discovery 1.0, section 4), which names the key set.
    Metadata(Url),
    /// The key set itself.
    KeySet(Url),
}

/// How keys are fetched.
#[derive(Clone)]
pub struct Fetch {
    /// What is fetched first.
    pub document: Document,
    /// The Envoy cluster that is asked.
    pub cluster: String,
    /// The Envoy cluster that has the key set, where it is another.
    pub keys_cluster: String,
    /// The value of `authorization` for those who want one.
    pub credential: Option<String>,
    /// The longest time between two fetches.
    pub refresh: Duration,
    /// How long keys serve after they were fetched, should no fetch succeed any more.
    pub keep: Duration,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How long a request is held for keys.
    pub wait: Duration,
    /// The least time between two fetches that unknown key ids cause.
    pub cooldown: Duration,
}

impl fmt::Debug for Fetch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Fetch")
            .field("document", &self.document)
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn read(node: &Node<'_>, issuer: Option<&str>) -> Option<KeySource> {
    let object = node.object()?;
    let inline = object.optional("jwks");
    let discover = object.optional("discover");
    let jwks_uri = object.optional("jwks_uri");
    if object.entries().len() != 1 {
        node.problem(
            format!("{} keys", object.entries().len()),
            "one of \"jwks\", \"discover\" and \"jwks_uri\"",
        );
        return None;
    }
    object.close();
    match (inline, discover, jwks_uri) {
        (Some(node), ..) => Some(KeySource::Inline(read_inline(&node))),
        (_, Some(node), _) => read_discover(&node, issuer)
            .map(Box::new)
            .map(KeySource::Fetched),
        (.., Some(node)) => read_jwks_uri(&node).map(Box::new).map(KeySource::Fetched),
        _ => None,
    }
}

fn read_inline(node: &Node<'_>) -> Vec<InlineKey> {
    let Some(set) = node.object() else {
        return Vec::new();
    };
    let keys = set
        .required("keys")
        .map(|list| list.array().iter().filter_map(read_key).collect())
        .unwrap_or_default();
    set.close();
    keys
}

fn read_key(node: &Node<'_>) -> Option<InlineKey> {
    let object = node.object()?;
    let mut jwk = node.value().clone();
    // A secret may come from the environment.
    if jwk.get("kty").and_then(Value::as_str) == Some("oct")
        && let Some(secret) = object.optional("k")
    {
        let secret = secret.secret()?;
        jwk.as_object_mut()?
            .insert("k".to_owned(), Value::String(secret));
    }
    Some(InlineKey {
        path: node.path().to_owned(),
        jwk,
    })
}

fn read_discover(node: &Node<'_>, issuer: Option<&str>) -> Option<Fetch> {
    let object = node.object()?;
    // Discovery 1.0, section 4: appended to the issuer, whose path may end in a slash.
    let metadata = issuer.and_then(|issuer| {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let url = Url::parse(&format!("{base}/.well-known/openid-configuration"));
        if url.is_none() || issuer.contains('?') {
            object.node().problem(
                format!("the issuer {issuer:?}"),
                "an issuer that is an http or https URL without a query, where keys are discovered",
            );
            return None;
        }
        url
    });
    let cluster = cluster(&object, "cluster");
    let keys_cluster = object
        .optional("keys_cluster")
        .map_or_else(|| cluster.clone(), |node| node.string().map(str::to_owned));
    let fetch = read_timing(
        &object,
        metadata.map(Document::Metadata),
        cluster,
        keys_cluster,
    );
    object.close();
    fetch
}

fn read_jwks_uri(node: &Node<'_>) -> Option<Fetch> {
    let object = node.object()?;
    let url = object.required("uri").and_then(|node| {
        let url = Url::parse(node.string()?);
        if url.is_none() {
            node.expected("an http or https URL");
        }
        url
    });
    let cluster = cluster(&object, "cluster");
    let fetch = read_timing(&object, url.map(Document::KeySet), cluster.clone(), cluster);
    object.close();
    fetch
}

fn cluster(object: &Object<'_>, key: &'static str) -> Option<String> {
    object
        .required(key)
        .and_then(|node| node.string().map(str::to_owned))
}

fn read_timing(
    object: &Object<'_>,
    document: Option<Document>,
    cluster: Option<String>,
    keys_cluster: Option<String>,
) -> Option<Fetch> {
    let duration = |key, usual: Duration, most| {
        object
            .optional(key)
            .map_or(Some(usual), |node| units::duration(&node, SECOND, most))
    };
    let refresh = duration("refresh", MINUTE.saturating_mul(5), DAY);
    let keep = duration("keep", DAY, DAY.saturating_mul(7));
    let timeout = duration("timeout", SECOND.saturating_mul(5), MINUTE);
    let wait = duration("wait", SECOND.saturating_mul(5), MINUTE);
    let cooldown = duration(
        "cooldown",
        SECOND.saturating_mul(3),
        MINUTE.saturating_mul(10),
    );
    let credential = object.optional("credential").map(|node| node.secret());
    if let (Some(refresh), Some(keep)) = (refresh, keep)
        && keep < refresh
    {
        object.node().problem(
            "keys that are kept for less time than lies between two fetches",
            "\"keep\" to be at least \"refresh\"",
        );
    }
    Some(Fetch {
        document: document?,
        cluster: cluster?,
        keys_cluster: keys_cluster?,
        credential: match credential {
            None => None,
            Some(read) => Some(read?),
        },
        refresh: refresh?,
        keep: keep?,
        timeout: timeout?,
        wait: wait?,
        cooldown: cooldown?,
    })
}
