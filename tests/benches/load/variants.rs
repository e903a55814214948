//! The Envoys that are compared. They differ in their HTTP filters only: the shipped
//! configuration, one worker, no access log in any, since what logs cost is another question.

use serde_json::{Value, json};
use testbed::idp::{AUDIENCE, Idp, with};
use testbed::mesh::{Builder, Mesh};

use crate::bare_modules::Module;
use crate::tokens::{CACHE, Case};

/// An Envoy to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// No filter but the router.
    Bare,
    /// Envoy's own verification of tokens.
    JwtAuthn(JwtAuthn),
    /// A WebAssembly filter that does next to nothing.
    Module(Module),
    /// This filter, with a policy that does no more.
    Portcullis(Portcullis),
}

/// What of `envoy.filters.http.jwt_authn` is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtAuthn {
    /// Each token is verified each time.
    Uncached,
    /// Verified tokens are kept.
    Cached,
    /// As cached; the claims are put where a later filter finds them.
    Claims,
    /// As claims; and `envoy.filters.http.rbac` lets one group pass.
    Rule,
}

/// How this filter verifies tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portcullis {
    /// As it comes, with a cache; Envoy's cryptography for what it does not hold.
    Cached,
    /// Each token each time, by Envoy's cryptography.
    Host,
    /// Each token each time, by the filter's own.
    Filter,
}

impl Variant {
    /// In the order in which they are shown; the first is what the others are compared with.
    pub const ALL: [Self; 10] = [
        Self::Bare,
        Self::JwtAuthn(JwtAuthn::Uncached),
        Self::JwtAuthn(JwtAuthn::Cached),
        Self::JwtAuthn(JwtAuthn::Claims),
        Self::JwtAuthn(JwtAuthn::Rule),
        Self::Module(Module::Empty),
        Self::Module(Module::Taking),
        Self::Portcullis(Portcullis::Cached),
        Self::Portcullis(Portcullis::Host),
        Self::Portcullis(Portcullis::Filter),
    ];

    /// What others are set against: what Envoy does by itself, without a cache, with one, and
    /// with one and a decision.
    pub const REFERENCES: [Self; 3] = [
        Self::JwtAuthn(JwtAuthn::Uncached),
        Self::JwtAuthn(JwtAuthn::Cached),
        Self::JwtAuthn(JwtAuthn::Rule),
    ];

    /// The name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::JwtAuthn(JwtAuthn::Uncached) => "jwt_authn",
            Self::JwtAuthn(JwtAuthn::Cached) => "jwt_authn, cache",
            Self::JwtAuthn(JwtAuthn::Claims) => "jwt_authn, cache, claims",
            Self::JwtAuthn(JwtAuthn::Rule) => "jwt_authn, cache, rbac",
            Self::Module(Module::Empty) => "an empty module",
            Self::Module(Module::Taking) => "a module that takes it out",
            Self::Portcullis(Portcullis::Cached) => "portcullis, cache",
            Self::Portcullis(Portcullis::Host) => "portcullis, host",
            Self::Portcullis(Portcullis::Filter) => "portcullis, filter",
        }
    }

    /// Whether it says anything about these tokens that another variant does not.
    pub fn takes_part(self, case: Case) -> bool {
        match self {
            Self::JwtAuthn(JwtAuthn::Claims | JwtAuthn::Rule) | Self::Module(_) => {
                case == Case::Repeated
            }
            _ => true,
        }
    }

    /// What to start, but for the model server.
    ///
    /// # Errors
    /// When a module can't be written.
    pub fn mesh(self, idp: &Idp) -> std::io::Result<Builder> {
        let mesh = Mesh::builder()
            .concurrency(1)
            .without_access_logs()
            .without_cluster("desk_log");
        Ok(match self {
            Self::Bare => mesh.unguarded(),
            Self::JwtAuthn(used) => used.configure(mesh.unguarded(), idp),
            Self::Module(module) => mesh.module(module.write()?),
            Self::Portcullis(used) => mesh.policy(used.policy(idp)),
        })
    }
}

impl JwtAuthn {
    fn configure(self, mesh: Builder, idp: &Idp) -> Builder {
        let mut provider = json!({
            "issuer": idp.issuer(),
            "audiences": [AUDIENCE],
            "local_jwks": { "inline_string": idp.jwks().to_string() }
        });
        if self != Self::Uncached {
            let cache = json!({ "jwt_cache_size": CACHE });
            provider = with(provider, "jwt_cache_config", cache);
        }
        if matches!(self, Self::Claims | Self::Rule) {
            provider = with(provider, "payload_in_metadata", json!("claims"));
        }
        let mesh = mesh.http_filter(json!({
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": { "corp": provider },
                "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "corp" } }]
            }
        }));
        match self {
            Self::Rule => mesh.http_filter(one_group_may_pass()),
            _ => mesh,
        }
    }
}

fn one_group_may_pass() -> Value {
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "ALLOW", "policies": { "engineers": {
                "permissions": [{ "any": true }],
                "principals": [{ "metadata": {
                    "filter": "envoy.filters.http.jwt_authn",
                    "path": [{ "key": "claims" }, { "key": "groups" }],
                    "value": { "list_match": { "one_of": { "string_match": { "exact": "engineers" } } } }
                } }]
            } } }
        }
    })
}

impl Portcullis {
    fn policy(self, idp: &Idp) -> Value {
        let (cache, verify_with) = match self {
            Self::Cached => (CACHE, "host"),
            Self::Host => (0, "host"),
            Self::Filter => (0, "filter"),
        };
        json!({
            "version": 1,
            "identity": {
                "verify_with": verify_with,
                "cache": cache,
                "providers": [{
                    "name": "corp", "issuer": idp.issuer(), "audiences": [AUDIENCE],
                    "keys": { "jwks": idp.jwks() }, "claims": { "groups": "groups" }
                }]
            },
            "rules": [{ "name": "engineers", "when": { "group": ["engineers"] }, "then": "allow" }]
        })
    }
}
