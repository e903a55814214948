//! The official client of OpenAI's API, with nothing changed but its base URL and its key.

use serde_json::{Value, json};

use crate::installed::{PYTHON, run};
use crate::support::{Guarded, ana, idp, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(openais_client_works_and_raises_its_own_errors);

fn openais_client_works_and_raises_its_own_errors(version: &str) {
    let Some(python) = PYTHON.python() else {
        return;
    };
    let guarded = Guarded::start(
        version,
        &policy(&json!({
            "masks": {"pii": {"detect": ["email", "credit_card"]}},
            "quotas": {
                "one": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1h"},
            },
            "rules": [
                {
                    "name": "engineers",
                    "when": {"group": ["engineers"]},
                    "then": "allow",
                    "mask": ["pii"],
                },
                {
                    "name": "guests",
                    "when": {"group": ["guests"]},
                    "then": "allow",
                    "quota": ["one"],
                    "mask": ["pii"],
                },
            ],
        })),
    );
    guarded.model.say_tokens(&[
        "Write to an",
        "a@corp",
        ".com about ",
        "4111 1111 1111 1111",
        ".",
    ]);
    let asked = json!({
        "base_url": format!("{}/v1", guarded.mesh.url()),
        "good": ana(),
        "expired": idp().expired("ana", &["engineers"]),
        "denied": idp().good("sam", &["sales"]),
        "scarce": idp().good("gus", &["guests"]),
    });
    let got = run(&python, "openai_client.py", &asked);

    let masked = "Write to [EMAIL] about [CREDIT_CARD].";
    assert_eq!(got["chat"], masked);
    assert_eq!(got["finish_reason"], "stop");
    let pieces: Vec<&str> = got["stream"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(pieces.concat(), masked);
    assert!(pieces.len() > 2, "{pieces:?}");
    let vector = json!([0.25, -0.5, 0.125]);
    assert_eq!(got["embeddings"], json!([vector, vector]));
    assert_eq!(got["models"], json!(["small-1", "large-1"]));
    assert!(got["tokens"].as_u64().unwrap() > 0);

    for (name, kind, status, code) in [
        ("expired", "AuthenticationError", 401, "token_expired"),
        ("stranger", "AuthenticationError", 401, "token_malformed"),
        ("denied", "PermissionDeniedError", 403, "denied"),
        ("over_quota", "RateLimitError", 429, "quota_exceeded"),
        (
            "streamed_over_quota",
            "RateLimitError",
            429,
            "quota_exceeded",
        ),
    ] {
        let error = &got[name];
        assert_eq!(error["type"], kind, "{name}: {error}");
        assert_eq!(error["status"], status, "{name}: {error}");
        assert_eq!(error["code"], code, "{name}: {error}");
        assert!(!text(&error["message"]).is_empty());
        let wait = error["retry_after"].as_str();
        assert_eq!(wait.is_some(), status == 429, "{name}: {error}");
    }
    // Ana's four requests and the one that the guest had.
    assert_eq!(guarded.model.received().len(), 5);
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}
