//! The Envoys that are compared: Envoy's own `jwt_authn` and `local_ratelimit`, and this filter, each
//! without a quota, with one, and with four.

use serde_json::{Value, json};
use testbed::idp::{AUDIENCE, Idp};
use testbed::mesh::{Builder, Mesh};

use crate::floor::Floor;

/// More than is ever asked for.
const LIMIT: u32 = 4_000_000_000;

/// More than a run asks for.
const BUCKET: u32 = 1_000_000;

/// Names of models with which one subject may begin counts.
pub const NAMES: usize = 64;

/// More tokens than a run uses.
const CACHE: u32 = 4096;

/// An Envoy to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// No filter but the router.
    Bare,
    /// `jwt_authn` with a cache, and `local_ratelimit` with so many descriptors.
    Envoy(Limits),
    /// A module that does next to nothing.
    Module(Floor),
    /// This filter, with so many quotas.
    Portcullis(Limits, Window),
}

/// What counts a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// Nothing.
    None,
    /// One count for all callers.
    All,
    /// One for each subject.
    Subject,
    /// By subject, by provider, by client, and one for all.
    Four,
}

/// How a quota of this filter forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// A ring of sub-windows.
    Sliding,
    /// A bucket, which is what Envoy has.
    Bucket,
}

impl Variant {
    /// In the order in which they are shown; the first is what the others are compared with.
    pub const ALL: [Self; 14] = [
        Self::Bare,
        Self::Envoy(Limits::None),
        Self::Envoy(Limits::All),
        Self::Envoy(Limits::Subject),
        Self::Envoy(Limits::Four),
        Self::Module(Floor::Nothing),
        Self::Module(Floor::Value(76)),
        Self::Module(Floor::Value(1792)),
        Self::Portcullis(Limits::None, Window::Sliding),
        Self::Portcullis(Limits::All, Window::Sliding),
        Self::Portcullis(Limits::Subject, Window::Sliding),
        Self::Portcullis(Limits::Four, Window::Sliding),
        Self::Portcullis(Limits::Subject, Window::Bucket),
        Self::Portcullis(Limits::Four, Window::Bucket),
    ];

    /// The name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Envoy(Limits::None) => "jwt_authn",
            Self::Envoy(Limits::All) => "  local_ratelimit, one for all",
            Self::Envoy(Limits::Subject) => "  local_ratelimit by subject",
            Self::Envoy(Limits::Four) => "  local_ratelimit, four",
            Self::Module(Floor::Nothing) => "an empty module",
            Self::Module(Floor::Value(size)) if size < 100 => "  one that writes a small value",
            Self::Module(_) => "  one that writes a large one",
            Self::Portcullis(Limits::None, _) => "portcullis",
            Self::Portcullis(Limits::All, _) => "  one quota for all",
            Self::Portcullis(Limits::Subject, Window::Sliding) => "  a quota by subject",
            Self::Portcullis(Limits::Four, Window::Sliding) => "  four quotas",
            Self::Portcullis(_, Window::Bucket) if self.limits() == Limits::Four => {
                "  four buckets"
            }
            Self::Portcullis(_, Window::Bucket) => "  a bucket by subject",
        }
    }

    /// What counts a request.
    pub fn limits(self) -> Limits {
        match self {
            Self::Bare | Self::Module(Floor::Nothing) => Limits::None,
            Self::Module(_) => Limits::Subject,
            Self::Envoy(limits) | Self::Portcullis(limits, _) => limits,
        }
    }

    /// The same without a quota: what the counter alone is told by.
    pub fn without(self) -> Self {
        match self {
            Self::Bare => Self::Bare,
            Self::Envoy(_) => Self::Envoy(Limits::None),
            Self::Module(_) => Self::Module(Floor::Nothing),
            Self::Portcullis(..) => Self::Portcullis(Limits::None, Window::Sliding),
        }
    }

    /// What of Envoy's does the same.
    pub fn peer(self) -> Option<Self> {
        match self {
            Self::Module(Floor::Value(_)) => Some(Self::Envoy(Limits::Subject)),
            Self::Portcullis(limits, _) if limits != Limits::None => Some(Self::Envoy(limits)),
            _ => None,
        }
    }

    /// What to start, but for the model server.
    ///
    /// # Errors
    /// When a module can't be written.
    pub fn mesh(self, idp: &Idp, workers: u32) -> std::io::Result<Builder> {
        let mesh = Mesh::builder()
            .concurrency(workers)
            .without_access_logs()
            .without_cluster("desk_log");
        Ok(match self {
            Self::Bare => mesh.unguarded(),
            Self::Module(floor) => mesh.module(floor.write()?),
            Self::Envoy(limits) => {
                let mesh = mesh.unguarded().http_filter(jwt_authn(idp));
                match limits {
                    Limits::None => mesh,
                    _ => mesh.http_filter(local_ratelimit(limits)),
                }
            }
            Self::Portcullis(limits, window) => mesh.policy(policy(idp, limits, window)),
        })
    }
}

fn jwt_authn(idp: &Idp) -> Value {
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "corp": {
                "issuer": idp.issuer(),
                "audiences": [AUDIENCE],
                "local_jwks": { "inline_string": idp.jwks().to_string() },
                "jwt_cache_config": { "jwt_cache_size": CACHE },
                "payload_in_metadata": "claims",
            } },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "corp" } }]
        }
    })
}

fn local_ratelimit(limits: Limits) -> Value {
    let bucket = json!({"max_tokens": LIMIT, "tokens_per_fill": LIMIT, "fill_interval": "60s"});
    let mut config = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "local",
        "filter_enabled": { "default_value": { "numerator": 100 } },
        "filter_enforced": { "default_value": { "numerator": 100 } },
        "token_bucket": bucket,
    });
    let claim = |key: &str, claim: &str| {
        json!({"metadata": {"descriptor_key": key, "metadata_key": {
            "key": "envoy.filters.http.jwt_authn", "path": [{"key": "claims"}, {"key": claim}]
        }}})
    };
    let mut actions = vec![claim("subject", "sub")];
    let mut keys = vec!["subject"];
    if limits == Limits::Four {
        let all = json!({"generic_key": {"descriptor_key": "all", "descriptor_value": "all"}});
        actions.extend([claim("provider", "iss"), claim("client", "azp"), all]);
        keys.extend(["provider", "client", "all"]);
    }
    if let (Some(config), true) = (config.as_object_mut(), limits != Limits::All) {
        // A key without a value stands for each value.
        let descriptors = keys
            .iter()
            .map(|key| json!({"entries": [{"key": key}], "token_bucket": bucket.clone()}));
        config.insert("descriptors".to_owned(), descriptors.collect());
        let limits = actions
            .into_iter()
            .map(|action| json!({"actions": [action]}));
        config.insert("rate_limits".to_owned(), limits.collect());
        config.insert("max_dynamic_descriptors".to_owned(), json!(CACHE));
        // The bucket for what has no descriptor is another question.
        config.insert(
            "always_consume_default_token_bucket".to_owned(),
            json!(false),
        );
    }
    json!({"name": "envoy.filters.http.local_ratelimit", "typed_config": config})
}

fn policy(idp: &Idp, limits: Limits, window: Window) -> Value {
    let quota = |by: &str| match window {
        Window::Sliding => json!({"by": [by], "count": "requests", "limit": LIMIT, "per": "1m"}),
        Window::Bucket => {
            // One that is empty a moment later is begun anew each time, which is another question.
            json!({"by": [by], "count": "requests", "limit": BUCKET, "per": "1h", "burst": BUCKET})
        }
    };
    let names: &[&str] = match limits {
        Limits::None => &[],
        Limits::All => &["all"],
        Limits::Subject => &["subject"],
        Limits::Four => &["subject", "provider", "client", "all"],
    };
    let mut list = json!({"name": "list", "when": {"operation": ["model.list"]}, "then": "allow"});
    if let (Some(list), false) = (list.as_object_mut(), names.is_empty()) {
        list.insert("quota".to_owned(), json!(names));
    }
    json!({
        "version": 1,
        "identity": {
            "cache": CACHE,
            "providers": [{
                "name": "corp", "issuer": idp.issuer(), "audiences": [AUDIENCE],
                "keys": { "jwks": idp.jwks() }, "claims": { "groups": "groups", "client": "azp" }
            }]
        },
        "quotas": {
            "subject": quota("subject"),
            "provider": quota("provider"),
            "client": quota("claim:client"),
            "all": quota("constant:all"),
            "filling": {"by": ["subject", "model"], "count": "requests", "limit": LIMIT, "per": "1h"},
        },
        "rules": [
            list,
            {"name": "fill", "when": {"operation": ["*", "unknown"]}, "then": "allow", "quota": ["filling"]},
        ]
    })
}
