//! Vendors' clients work with a guarded server, and raise their own errors for what the filter
//! refuses: nothing of theirs is changed but the base URL and where the token goes.

use serde_json::{Value, json};

use super::server::Server;
use super::{everywhere, scarce, tokens, with};
use crate::installed::{NODE, PYTHON, run};
use crate::support::Guarded;
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    anthropics_client_raises_its_own_errors,
    coheres_client_raises_its_own_errors,
    ollamas_client_raises_its_own_errors,
    qdrants_client_raises_its_own_errors,
    clients_for_node_raise_their_own_errors,
);

/// What the vendors' server says.
const SAID: &str = "Hello from the model.";

/// What is refused in the same way whoever asks, by the drivers' names: the status and the code.
const REFUSED: [(&str, u16, &str); 7] = [
    ("expired", 401, "token_expired"),
    ("malformed", 401, "token_malformed"),
    ("missing", 401, "token_missing"),
    ("denied", 403, "denied"),
    ("denied model", 403, "denied"),
    ("denied operation", 403, "denied"),
    ("over quota", 429, "quota_exceeded"),
];

/// A guarded server of all vendors.
struct Vendors {
    server: Server,
    guarded: Guarded,
}

impl Vendors {
    /// `None` if there is nothing to start it with, and that is no failure.
    fn start(version: &str) -> Option<Self> {
        let python = PYTHON.python()?;
        let server = Server::start(&python, "vendors.py", 1, &[], "/read");
        let operations = json!([
            "inference.chat",
            "inference.count",
            "embedding.create",
            "rerank",
            "model.list",
            "data.ingest",
            "data.query",
        ]);
        let allow = |name: &str| {
            json!({
                "name": name,
                "when": {"group": [name], "operation": operations},
                "then": "allow",
            })
        };
        let rules = json!({
            "quotas": scarce(),
            "rules": [
                {"name": "no-large", "when": {"model": ["large-*"]}, "then": "deny"},
                allow("engineers"),
                with(allow("guests"), &json!({"quota": ["one"]})),
            ],
        });
        let guarded = Guarded::start_with(version, &everywhere(&rules), |builder| {
            builder.model(server.port(0))
        });
        Some(Self { server, guarded })
    }

    /// What a driver in Python tells.
    fn drive(&self, driver: &str) -> Option<Value> {
        let asked = with(tokens(), &json!({"base_url": self.guarded.mesh.url()}));
        Some(run(
            &PYTHON.python()?,
            &format!("real/clients/{driver}"),
            &asked,
        ))
    }
}

/// The errors that a driver tells must be of these types, by status, and say what [`REFUSED`] has.
/// `extra` names more that is denied; `code` finds the code, if there is one.
fn refused(
    who: &str,
    told: &Value,
    types: [&str; 3],
    extra: &[&str],
    code: impl Fn(&Value) -> Option<String>,
) {
    let [unauthenticated, denied, many] = types;
    let extra = extra.iter().map(|name| (*name, 403, "denied"));
    for (name, status, expected) in REFUSED.into_iter().chain(extra) {
        // Not every client lets a token be missing.
        if name == "missing" && told.get(name).is_none() {
            continue;
        }
        let error = &told[name];
        let kind = match status {
            401 => unauthenticated,
            403 => denied,
            _ => many,
        };
        assert_eq!(error["type"], kind, "{who}, {name}: {error}");
        if let Some(found) = error.get("status") {
            assert_eq!(found, status, "{who}, {name}: {error}");
        }
        assert_eq!(
            code(error).as_deref(),
            Some(expected),
            "{who}, {name}: {error}"
        );
        if error.get("retry_after").is_some() {
            let waits = !error["retry_after"].is_null();
            assert_eq!(waits, status == 429, "{who}, {name}: {error}");
        }
    }
}

/// The code where a client has no field for it: in front of the message.
fn before_the_message(error: &Value) -> Option<String> {
    let (code, rest) = error["message"].as_str()?.split_once(": ")?;
    (!rest.is_empty()).then(|| code.to_owned())
}

fn in_its_field(error: &Value) -> Option<String> {
    error["code"].as_str().map(str::to_owned)
}

fn anthropics_client_raises_its_own_errors(version: &str) {
    let Some(vendors) = Vendors::start(version) else {
        return;
    };
    let got = vendors.drive("of_anthropic.py").unwrap();
    assert_eq!(
        got["allowed"],
        json!({
            "chat": SAID, "chat, as key": SAID, "chat, in header": SAID, "stream": SAID, "count": 9,
        })
    );
    let types = [
        "AuthenticationError",
        "PermissionDeniedError",
        "RateLimitError",
    ];
    let extra = ["denied model, streamed", "shared path"];
    refused("anthropic", &got["refused"], types, &extra, in_its_field);
    for (name, kind) in [
        ("expired", "authentication_error"),
        ("denied", "permission_error"),
        ("shared path", "permission_error"),
        ("over quota", "rate_limit_error"),
    ] {
        let error = &got["refused"][name];
        assert_eq!(error["kind"], kind, "{name}: {error}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
    }
    // The guest's first request is allowed.
    assert_eq!(vendors.server.read(), 6);
}

fn ollamas_client_raises_its_own_errors(version: &str) {
    let Some(vendors) = Vendors::start(version) else {
        return;
    };
    let got = vendors.drive("of_ollama.py").unwrap();
    assert_eq!(
        got["allowed"],
        json!({
            "chat": SAID, "stream": SAID, "embed": [[0.5], [0.25]], "models": ["small-1"],
        })
    );
    let extra = ["denied model, streamed", "denied pull, streamed"];
    let types = ["ResponseError"; 3];
    refused("ollama", &got["refused"], types, &extra, before_the_message);
    assert_eq!(vendors.server.read(), 5);
}

fn coheres_client_raises_its_own_errors(version: &str) {
    let Some(vendors) = Vendors::start(version) else {
        return;
    };
    let got = vendors.drive("of_cohere.py").unwrap();
    assert_eq!(
        got["allowed"],
        json!({"chat": SAID, "stream": SAID, "rerank": [1]})
    );
    let types = [
        "UnauthorizedError",
        "ForbiddenError",
        "TooManyRequestsError",
    ];
    refused(
        "cohere",
        &got["refused"],
        types,
        &["denied model, streamed"],
        before_the_message,
    );
    assert_eq!(vendors.server.read(), 4);
}

fn qdrants_client_raises_its_own_errors(version: &str) {
    let Some(vendors) = Vendors::start(version) else {
        return;
    };
    let got = vendors.drive("of_qdrant.py").unwrap();
    let allowed =
        |found: Value| json!({"query": found, "query, as key": found, "upsert": "completed"});
    assert_eq!(got["allowed"]["rest"], allowed(json!([1])));
    assert_eq!(got["allowed"]["grpc"], allowed(json!([])));

    // No model is concerned: what the others are denied of a model, this one is of points.
    let mut rest = got["refused"]["rest"].clone();
    rest["denied model"] = rest["denied export"].clone();
    let types = [
        "UnexpectedResponse",
        "UnexpectedResponse",
        "ResourceExhaustedResponse",
    ];
    refused("qdrant", &rest, types, &[], |error| {
        let code = before_the_message(error)?;
        // Of a quota its error has the message and the seconds, and of all others the status.
        let seconds = error["retry_after"].as_u64();
        assert_eq!(seconds.is_some(), code == "quota_exceeded", "{error}");
        Some(code)
    });

    let grpc = &got["refused"]["grpc"];
    for (name, status) in [
        ("expired", "UNAUTHENTICATED"),
        ("malformed", "UNAUTHENTICATED"),
        ("missing", "UNAUTHENTICATED"),
        ("denied", "PERMISSION_DENIED"),
        ("denied export", "PERMISSION_DENIED"),
        ("denied operation", "PERMISSION_DENIED"),
    ] {
        let error = &grpc[name];
        assert_eq!(error["type"], "_InactiveRpcError", "{name}: {error}");
        assert_eq!(error["status"], status, "{name}: {error}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
    }
    let error = &grpc["over quota"];
    assert_eq!(error["type"], "ResourceExhaustedResponse", "{error}");
    assert!(error["retry_after"].as_u64().unwrap() > 0, "{error}");
    // Three in each way, and the guest's first, which is one for both.
    assert_eq!(vendors.server.read(), 7);
}

fn clients_for_node_raise_their_own_errors(version: &str) {
    let Some(installed) = NODE.folder() else {
        return;
    };
    let Some(vendors) = Vendors::start(version) else {
        return;
    };
    let asked = with(
        tokens(),
        &json!({"base_url": vendors.guarded.mesh.url(), "installed": installed}),
    );
    let got = run("node".as_ref(), "real/clients/node.mjs", &asked);
    let chats = json!({"chat": SAID, "stream": SAID});
    assert_eq!(got["openai"]["allowed"], chats);
    let in_header = json!({"chat, in header": SAID});
    assert_eq!(got["anthropic"]["allowed"], with(chats, &in_header));
    let types = [
        "AuthenticationError",
        "PermissionDeniedError",
        "RateLimitError",
    ];
    for who in ["openai", "anthropic"] {
        let told = &got[who]["refused"];
        refused(who, told, types, &["denied model, streamed"], in_its_field);
        for (name, kind) in [
            ("expired", "authentication_error"),
            ("denied", "permission_error"),
            ("over quota", "rate_limit_error"),
        ] {
            assert_eq!(told[name]["kind"], kind, "{who}, {name}: {}", told[name]);
        }
    }
    // The guest's first request is one for both.
    assert_eq!(vendors.server.read(), 6);
}
