//! `keys` of a provider: written in the policy, or fetched over an Envoy cluster.

use core::fmt;
use core::time::Duration;

use base::policy::{CLUSTER, Form, Key, Kind as FormKind, Node, Object, Presence, SECRET, Usual};
use base::url::Url;
use serde_json::Value;

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

/// `keys` of a provider.
pub(super) static KEYS: Form = Form::object_with(
    Presence::One(&["jwks", "discover", "jwks_uri"]),
    &[
        Key::optional(
            "jwks",
            "Keys that stand in the policy: a JSON Web Key Set (RFC 7517, section 5).",
            &JWKS,
        ),
        Key::optional(
            "discover",
            "Keys that the provider's metadata leads to (OpenID Connect Discovery 1.0), at `/.well-known/openid-configuration` below the issuer.",
            &DISCOVER,
        ),
        Key::optional(
            "jwks_uri",
            "A key set at an address; what it has besides keys that can be used is ignored.",
            &JWKS_URI,
        ),
    ],
);

static JWKS: Form = Form::object(&[Key::required(
    "keys",
    "JSON Web Keys. One that can't be used, such as one for encryption or on another curve, is ignored with a warning; that none of them can be used is an error.",
    &JWK_LIST,
)]);
static JWK_LIST: Form = Form::list_or_none(&JWK);
/// A key has whatever members its type has; a symmetric one's `k` may come from the environment.
static JWK: Form = Form::of(FormKind::Map {
    names: "a member of a JSON Web Key",
    of: &base::policy::ANY_JSON,
    keys: &[Key::optional(
        "k",
        "A symmetric key, in base64url. With `kty: oct`, `${NAME}` in it stands for a variable of the VM's environment.",
        &SYMMETRIC,
    )],
    may_be_empty: true,
});

// Members that a key of another type has no use for are nobody's business.
static SYMMETRIC: Form = Form::of(FormKind::Json).hidden();

static DISCOVER: Form = Form::object(&[
    CLUSTER_KEY,
    Key::usually(
        "keys_cluster",
        Usual::Words("`cluster`"),
        "The Envoy cluster that has the key set, where it is another.",
        &CLUSTER,
    ),
    CREDENTIAL_KEY,
    REFRESH_KEY,
    KEEP_KEY,
    TIMEOUT_KEY,
    WAIT_KEY,
    COOLDOWN_KEY,
]);

static JWKS_URI: Form = Form::object(&[
    Key::required("uri", "Where the key set is.", &URI),
    CLUSTER_KEY,
    CREDENTIAL_KEY,
    REFRESH_KEY,
    KEEP_KEY,
    TIMEOUT_KEY,
    WAIT_KEY,
    COOLDOWN_KEY,
]);

static URI: Form = Form::text_like(
    "an http or https URL without user information and fragment",
    "^https?://",
);

const CLUSTER_KEY: Key = Key::required("cluster", "The Envoy cluster that is asked.", &CLUSTER);
const CREDENTIAL_KEY: Key = Key::optional(
    "credential",
    "The value of `authorization` for those who want one.",
    &SECRET,
);
const REFRESH_KEY: Key = Key::usually(
    "refresh",
    Usual::Text("5m"),
    "The longest time between two fetches.",
    &REFRESH,
);
const KEEP_KEY: Key = Key::usually(
    "keep",
    Usual::Text("1d"),
    "How long keys serve after they were fetched, should no fetch succeed any more; at least `refresh`.",
    &KEEP,
);
const TIMEOUT_KEY: Key = Key::usually(
    "timeout",
    Usual::Text("5s"),
    "How long one answer may take.",
    &TIMEOUT,
);
const WAIT_KEY: Key = Key::usually(
    "wait",
    Usual::Text("5s"),
    "How long a request is held for keys.",
    &TIMEOUT,
);
const COOLDOWN_KEY: Key = Key::usually(
    "cooldown",
    Usual::Text("3s"),
    "The least time between two fetches that unknown key ids cause.",
    &COOLDOWN,
);

static REFRESH: Form = Form::duration(SECOND, DAY);
static KEEP: Form = Form::duration(SECOND, DAY.saturating_mul(7));
static TIMEOUT: Form = Form::duration(SECOND, MINUTE);
static COOLDOWN: Form = Form::duration(SECOND, MINUTE.saturating_mul(10));

pub(super) fn read(node: &Node<'_>, issuer: Option<&str>) -> Option<KeySource> {
    let object = node.object()?;
    let parts = (
        object.get("jwks"),
        object.get("discover"),
        object.get("jwks_uri"),
    );
    match parts {
        (Some(node), None, None) => Some(KeySource::Inline(read_inline(&node))),
        (None, Some(node), None) => read_discover(&node, issuer)
            .map(Box::new)
            .map(KeySource::Fetched),
        (None, None, Some(node)) => read_jwks_uri(&node).map(Box::new).map(KeySource::Fetched),
        _ => None,
    }
}

fn read_inline(node: &Node<'_>) -> Vec<InlineKey> {
    let keys = node.object().and_then(|set| set.get("keys"));
    let keys = keys.map(|list| list.items()).unwrap_or_default();
    keys.iter().filter_map(read_key).collect()
}

fn read_key(node: &Node<'_>) -> Option<InlineKey> {
    let path = node.path().to_owned();
    let mut jwk = node.value()?.clone();
    // Like a key that can't be used, it is left out, and told of, where the set is compiled.
    if !jwk.is_object() {
        return Some(InlineKey { path, jwk });
    }
    let object = node.object()?;
    // A secret may come from the environment.
    if jwk.get("kty").and_then(Value::as_str) == Some("oct")
        && let Some(secret) = object.get("k")
    {
        let secret = secret.secret()?;
        jwk.as_object_mut()?
            .insert("k".to_owned(), Value::String(secret));
    }
    Some(InlineKey { path, jwk })
}

fn read_discover(node: &Node<'_>, issuer: Option<&str>) -> Option<Fetch> {
    let object = node.object()?;
    // Discovery 1.0, section 4: appended to the issuer, whose path may end in a slash.
    let metadata = issuer.and_then(|issuer| {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let url = Url::parse(&format!("{base}/.well-known/openid-configuration"));
        if url.is_none() || issuer.contains('?') {
            object.node().problem(
                "an issuer that is none",
                "an issuer that is an http or https URL without a query, where keys are discovered",
            );
            return None;
        }
        url
    });
    let cluster = object.text("cluster");
    let keys_cluster = if object.has("keys_cluster") {
        object.text("keys_cluster")
    } else {
        cluster.clone()
    };
    read_timing(
        &object,
        metadata.map(Document::Metadata),
        cluster,
        keys_cluster,
    )
}

fn read_jwks_uri(node: &Node<'_>) -> Option<Fetch> {
    let object = node.object()?;
    let url = object.get("uri").and_then(|node| {
        let url = Url::parse(node.text()?);
        if url.is_none() {
            // It may hold a password, so it is not shown.
            node.problem(
                "something else",
                "an http or https URL without user information and fragment",
            );
        }
        url
    });
    let cluster = object.text("cluster");
    read_timing(&object, url.map(Document::KeySet), cluster.clone(), cluster)
}

fn read_timing(
    object: &Object<'_>,
    document: Option<Document>,
    cluster: Option<String>,
    keys_cluster: Option<String>,
) -> Option<Fetch> {
    let refresh = object.duration("refresh");
    let keep = object.duration("keep");
    let timeout = object.duration("timeout");
    let wait = object.duration("wait");
    let cooldown = object.duration("cooldown");
    let credential = object.get("credential").map(|node| node.secret());
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
