//! Tokens of many kinds of provider: whom they name, which rules that reaches, what the model
//! server is told of it, and that nobody is told the token.

mod callers;
mod clusters;
mod refusals;
mod upstream;

use std::sync::OnceLock;

use serde_json::{Value, json};
use testbed::http::{self, Request, Response};
use testbed::idp::{Alg, Idp, with};
use testbed::model::Received;

use crate::support::{CREDENTIAL, Guarded, idp, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(callers_are_told_apart);

/// What the model server knows the filter by, for some requests.
const EMBED_KEY: &str = "embed-key-41be09";
const LIST_KEY: &str = "list-key-e60f58";

fn callers_are_told_apart(version: &str) {
    let guarded = Guarded::start_with(version, &policy(&sections()), |builder| {
        builder
            .variable("EMBED_KEY", EMBED_KEY)
            .variable("LIST_KEY", LIST_KEY)
    });
    // What the filter would say to whoever looks for a fault.
    let verbose = Request::post("/logging?wasm=debug").body("");
    assert_eq!(
        http::send(guarded.mesh.admin_port(), verbose)
            .unwrap()
            .status,
        200
    );
    callers::are_named(&guarded);
    callers::reach_rules_by_client_and_kind(&guarded);
    refusals::have_codes(&guarded);
    refusals::of_missing_keys_ask_for_patience(&guarded);
    upstream::headers_are_the_filter_s_own(&guarded);
    upstream::credentials_have_purposes(&guarded);
    nothing_secret_is_kept(&guarded);
}

/// A second identity provider, with keys of its own.
fn partner() -> &'static Idp {
    static PARTNER: OnceLock<Idp> = OnceLock::new();
    PARTNER.get_or_init(|| Idp::start().unwrap())
}

fn sections() -> Value {
    let provider = |name: &str, members: Value| {
        let mut provider = json!({
            "name": name,
            "issuer": idp().issuer_at(&format!("/{name}")),
            "audiences": ["inference"],
            "keys": {"jwks": idp().jwks()},
            "claims": {"groups": "groups"},
        });
        let members = members.as_object().unwrap().clone();
        provider.as_object_mut().unwrap().extend(members);
        provider
    };
    json!({
        "identity": {
            "providers": [
                provider("corp", json!({"claims": {
                    "groups": "groups",
                    "tenant": "/org/units/0/name",
                    "scopes": "scope",
                    "teams": {"at": "/ext/teams", "separator": ";"},
                }})),
                provider("partner", json!({
                    "issuer": partner().issuer(),
                    "keys": {"jwks": partner().jwks()},
                    "kind": "service",
                })),
                provider("cognito", json!({
                    "audiences": ["app-1", "app-2"],
                    "audience_claim": "client_id",
                    "claims": {"groups": "cognito:groups"},
                })),
                provider("entra", json!({"clients": ["web-*"]})),
                provider("entra-lax", json!({"groups_overage": "ignore"})),
                provider("strict", json!({"types": ["at+jwt"]})),
                provider("kubernetes", json!({"claims": {"ns": "/kubernetes.io/namespace"}})),
                provider("mesh", json!({"issuer": "spiffe://example.org"})),
                // Its keys are where nobody listens.
                provider("away", json!({"keys": {"discover": {"cluster": "desk", "wait": "1s"}}})),
            ],
            "token": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-key"}],
        },
        "upstream": {
            "credentials": [
                {"operation": ["embedding.*"], "header": "x-embed-key", "value": "${EMBED_KEY}"},
                {
                    "operation": ["model.list"],
                    "header": "authorization",
                    "value": "Bearer ${LIST_KEY}",
                },
            ],
            "credential": {"header": "authorization", "value": "Bearer ${MODEL_SERVER_KEY}"},
            "identity_headers": {
                "subject": "x-portcullis-subject",
                "groups": "x-portcullis-groups",
                "provider": "x-portcullis-provider",
                "issuer": "x-portcullis-issuer",
                "client": "x-portcullis-client",
                "kind": "x-portcullis-kind",
                "claims": {"tenant": "x-portcullis-tenant", "teams": "x-portcullis-teams"},
            },
        },
        "rules": [
            {
                "name": "services-do-not-tune",
                "when": {"kind": ["service"], "operation": ["model.tune"]},
                "then": "deny",
            },
            {"name": "no-old-client", "when": {"client": ["web-0.*"]}, "then": "deny"},
            {"name": "namespace", "when": {"claim": {"ns": ["ml"]}}, "then": "allow"},
            {
                "name": "scope",
                "when": {"claim": {"scopes": ["models:read"], "teams": ["blue"]}},
                "then": "allow",
            },
            {"name": "services", "when": {"kind": ["service"]}, "then": "allow"},
            {
                "name": "browsers",
                "when": {"kind": ["person"], "client": ["web-*"]},
                "then": "allow",
            },
            {
                "name": "no-client",
                "when": {"group": ["engineers"], "not": {"client": ["*"]}},
                "then": "allow",
            },
            {
                "name": "one-provider",
                "when": {"provider": ["cognito", "entra-lax"], "subject": ["ana"]},
                "then": "allow",
            },
        ],
    })
}

/// The claims of a provider's token, with some more or others; `null` takes one away.
fn claims(provider: &str, subject: &str, members: Value) -> Value {
    let issuer = idp().issuer_at(&format!("/{provider}"));
    let mut claims = with(idp().claims(subject, &[]), "iss", json!(issuer));
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn token(provider: &str, subject: &str, members: Value) -> String {
    idp().token(&claims(provider, subject, members), Alg::Es256)
}

/// Ana of corp, who has no client: an engineer.
fn engineer() -> String {
    token("corp", "ana", json!({"groups": ["engineers"]}))
}

/// Sends a request, and gives its answer and its record. Whatever is answered says nothing of
/// tokens and credentials.
fn ask(guarded: &Guarded, case: &str, request: Request) -> (Response, Value) {
    let host = format!("{case}.test");
    let answer = guarded.send(request.header("host", &host));
    let headers = answer.headers.iter().map(|(_, value)| value.as_slice());
    for part in headers.chain([answer.body.as_slice()]) {
        holds_no_secret(case, &String::from_utf8_lossy(part));
    }
    (answer, guarded.record(&host))
}

/// The one request that reached the model server.
fn received(guarded: &Guarded, case: &str) -> Received {
    let mut received = guarded.model.wait_received(1).unwrap();
    assert_eq!(received.len(), 1, "{case}");
    let received = received.remove(0);
    for (name, value) in &received.headers {
        let value = String::from_utf8_lossy(value);
        assert!(!value.contains("eyJ"), "{case}: a token arrived in {name}");
    }
    let body = String::from_utf8_lossy(&received.body);
    assert!(!body.contains("eyJ"), "{case}: a token arrived in the body");
    received
}

fn holds_no_secret(place: &str, text: &str) {
    for secret in ["eyJ", CREDENTIAL, EMBED_KEY, LIST_KEY] {
        assert!(!text.contains(secret), "{place} holds {secret}");
    }
}

fn nothing_secret_is_kept(guarded: &Guarded) {
    let log = guarded.mesh.log();
    let lines = Value::from(guarded.mesh.access_log(1).unwrap()).to_string();
    assert!(lines.contains("\\\"ana\\\""), "the records were looked at");
    for (place, text) in [("Envoy's log", &log), ("the access log", &lines)] {
        assert!(!text.is_empty(), "{place} can be read");
        holds_no_secret(place, text);
    }
}
