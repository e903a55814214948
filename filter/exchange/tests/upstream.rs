//! What the model server is told.

use core::time::Duration;

use serde_json::json;

use super::{Driven, NOW, bytes, code, compiled, token};
use crate::exchange::{Effect, Event, NoNative, Outcome, unwritable};

fn set(outcome: &Outcome, header: &str) -> Option<String> {
    outcome.effects.iter().find_map(|effect| match effect {
        Effect::SetRequestHeader { name, value } if name == header => Some(value.clone()),
        _ => None,
    })
}

#[test]
fn the_credential_depends_on_cluster_and_operation() {
    let compiled = compiled(&json!({"upstream": {
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
        ("/health", Some("local"), "four"),
        // Whoever's cluster it is.
        ("/v1/models", None, ""),
        ("/health", None, ""),
    ] {
        let headers = bytes(&[
            (":method", "GET"),
            (":path", path),
            (":authority", "models"),
            ("authorization", &bearer),
        ]);
        let outcome = Driven::new(&compiled).handle(Event::RequestHead {
            headers: &headers,
            end: true,
            cluster,
        });
        assert_eq!(
            set(&outcome, "x-a").unwrap_or_default(),
            expected,
            "{path} {cluster:?}"
        );
    }
    // Envoy chose the cluster by this path, and another one would be sent.
    let outcome = Driven::new(&compiled).head("GET", "/v1//models", &[], true);
    assert_eq!(code(&outcome), "path_not_normal");
}

#[test]
fn what_a_client_says_of_itself_is_replaced() {
    let compiled = compiled(&json!({
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
    let outcome = Driven::new(&compiled).head(
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

#[test]
fn a_client_gives_no_credential_of_the_filter_s() {
    let compiled = compiled(&json!({"upstream": {"credentials": [
        {"operation": ["embedding.*"], "header": "x-embed-key", "value": "one"},
        {"operation": ["model.load"], "header": "x-load-key", "value": "two"},
    ]}}));
    let given = ["x-embed-key", "x_embed_key", "x-load-key"];
    let headers = given.map(|name| (name, "the client's"));
    let outcome = Driven::new(&compiled).head("GET", "/v1/models", &headers, true);
    for name in given {
        let removed = Effect::RemoveRequestHeader(name.to_owned());
        assert!(outcome.effects.contains(&removed), "{name}: {outcome:?}");
        assert_eq!(set(&outcome, name), None);
    }
}

#[test]
fn whom_no_header_can_name_is_known_before() {
    let compiled = compiled(&json!({"upstream": {"identity_headers": {
        "subject": "x-subject", "groups": "x-groups", "client": "x-client",
    }}}));
    for (subject, groups, expected) in [
        ("jane", ["a", "b"], &[] as &[&str]),
        ("jane", ["a,b", "c"], &["x-groups"]),
        ("a\nb", ["a", "b"], &["x-subject"]),
    ] {
        let bearer = token(subject, &groups);
        let now = Duration::from_secs(NOW);
        let identity = compiled
            .verifier
            .verify(&bearer, now, now, &NoNative)
            .unwrap();
        let found = unwritable(&compiled.policy.upstream, &identity);
        assert_eq!(found, expected, "{subject:?} {groups:?}");
        let bearer = format!("Bearer {bearer}");
        let headers = [("authorization", bearer.as_str())];
        let outcome = Driven::new(&compiled).head("GET", "/v1/models", &headers, true);
        let refused = outcome
            .effects
            .iter()
            .any(|one| matches!(one, Effect::Reply(_)));
        assert_eq!(refused, !expected.is_empty());
        if refused {
            assert_eq!(code(&outcome), "identity_not_a_header");
        }
    }
}
