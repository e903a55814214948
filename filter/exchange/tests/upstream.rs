//! What the model server is told.

use serde_json::json;

use super::{Driven, bytes, code, guard, token};
use crate::exchange::{Effect, Event, Outcome};

fn set(outcome: &Outcome, header: &str) -> Option<String> {
    outcome.effects.iter().find_map(|effect| match effect {
        Effect::SetRequestHeader { name, value } if name == header => Some(value.clone()),
        _ => None,
    })
}

#[test]
fn the_credential_depends_on_cluster_and_operation() {
    let guard = guard(&json!({"upstream": {
        "credentials": [
            {"cluster": ["openai"], "operation": ["embedding.*"], "header": "x-a", "value": "one"},
            {"cluster": ["openai", "azure-*"], "header": "x-a", "value": "two"},
            {"operation": ["model.list"], "header": "x-a", "value": "three"},
        ],
        "credential": {"header": "x-a", "value": "four"},
    }}));
    let bearer = format!("Bearer {}", token("jane", &[]));
    for (path, cluster, expected) in [
        ("/v1/models", Some("openai"), "two"),
        ("/v1/models", Some("azure-1"), "two"),
        ("/v1/models", Some("local"), "three"),
        ("/v1/models", None, "three"),
        ("/health", Some("local"), "four"),
        ("/health", None, "four"),
    ] {
        let headers = bytes(&[
            (":method", "GET"),
            (":path", path),
            (":authority", "models"),
            ("authorization", &bearer),
        ]);
        let outcome = Driven::new(&guard).handle(Event::RequestHead {
            headers: &headers,
            end: true,
            cluster,
        });
        assert_eq!(
            set(&outcome, "x-a").as_deref(),
            Some(expected),
            "{path} {cluster:?}"
        );
    }
    // Envoy chose the cluster by this path, and another one would be sent.
    let outcome = Driven::new(&guard).head("GET", "/v1//models", &[], true);
    assert_eq!(code(&outcome), "path_not_normal");
}

#[test]
fn what_a_client_says_of_itself_is_replaced() {
    let guard = guard(&json!({
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": [crate::testing::ec_public(1, "a")]}},
            "claims": {"groups": "groups", "tenant": "org"},
        }]},
        "upstream": {"identity_headers": {
            "subject": "x-subject", "groups": "x-groups", "provider": "x-provider",
            "issuer": "x-issuer", "client": "x-client", "kind": "x-kind",
            "claims": {"tenant": "x-tenant"},
        }},
    }));
    let outcome = Driven::new(&guard).head(
        "GET",
        "/v1/models",
        &[
            ("x-subject", "root"),
            ("x_subject", "root"),
            ("x-client", "trusted"),
            ("x_tenant", "other"),
        ],
        true,
    );
    for name in ["x-subject", "x_subject", "x-client", "x_tenant"] {
        assert!(
            outcome
                .effects
                .contains(&Effect::RemoveRequestHeader(name.to_owned())),
            "{name}: {outcome:?}"
        );
    }
    assert_eq!(set(&outcome, "x-subject").as_deref(), Some("jane"));
    assert_eq!(set(&outcome, "x-groups").as_deref(), Some("engineers"));
    assert_eq!(set(&outcome, "x-provider").as_deref(), Some("corp"));
    assert_eq!(set(&outcome, "x-issuer").as_deref(), Some("https://idp"));
    assert_eq!(set(&outcome, "x-kind").as_deref(), Some("person"));
    assert_eq!(set(&outcome, "x-client"), None);
    assert_eq!(set(&outcome, "x-tenant"), None);
}
