//! What the model server is told.

use core::time::Duration;

use serde_json::json;

use super::{Driven, NOW, bytes, code, compiled, token};
use crate::exchange::{Effect, Event, Flow, NoNative, Outcome, unwritable};

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
        assert_eq!(outcome.flow, Flow::Continue);
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
fn what_makes_another_request_of_it_is_taken_out() {
    let compiled = compiled(&json!({}));
    let names = [
        "x-http-method-override",
        "x_http_method_override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        // Envoy does as they say where it takes the caller for an internal one.
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-max-retries",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-original-path",
    ];
    let headers = names.map(|name| (name, "DELETE"));
    let outcome = Driven::new(&compiled).head("GET", "/v1/models", &headers, true);
    for name in names {
        let removed = Effect::RemoveRequestHeader(name.to_owned());
        assert!(outcome.effects.contains(&removed), "{name}: {outcome:?}");
    }
    for (path, sent) in [
        ("/v1/models?_method=DELETE", Some("/v1/models")),
        (
            "/v1/models?a=1&%5Fmethod=DELETE&b=2",
            Some("/v1/models?a=1&b=2"),
        ),
        ("/v1/models?a=1&_Method=DELETE", Some("/v1/models?a=1")),
        ("/v1/models?method=DELETE", None),
    ] {
        let outcome = Driven::new(&compiled).head("GET", path, &[], true);
        assert_eq!(set(&outcome, ":path").as_deref(), sent, "{path}");
    }
}

#[test]
fn trailers_say_nothing_that_headers_may_not() {
    let compiled = compiled(&json!({"upstream": {
        "identity_headers": {"subject": "x_subject"},
        "credential": {"header": "x-key", "value": "key"},
    }}));
    let trailers = bytes(&[
        ("authorization", "Bearer x"),
        ("x-subject", "root"),
        ("x_subject", "root"),
        ("x-key", "mine"),
        ("x-checksum", "1"),
    ]);
    let mut exchange = Driven::new(&compiled);
    exchange.head("POST", "/v1/batches/b1/cancel", &[], false);
    let outcome = exchange.handle(Event::RequestTrailers {
        trailers: &trailers,
    });
    let removed = |name: &str| Effect::RemoveRequestTrailer(name.to_owned());
    let names = ["authorization", "x-subject", "x_subject", "x-key"];
    assert_eq!(outcome.effects, names.map(removed));
    assert_eq!(outcome.flow, Flow::Continue);
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
            ("x-client", "other"),
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
        // Servers take blanks at the ends of a header's value away.
        ("jane ", ["a", "b"], &["x-subject"]),
        ("jane", ["a ", "b"], &["x-groups"]),
        ("jane", ["a", "\tb"], &["x-groups"]),
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

#[test]
fn a_credential_goes_to_its_own_cluster_only() {
    let policy = json!({"upstream": {
        "credentials": [{"cluster": ["red"], "header": "x-key", "value": "the red key"}],
        "identity_headers": {"subject": "x-subject"},
    }});
    let compiled = compiled(&policy);
    let bearer = format!("Bearer {}", token("jane", &[]));
    let ask = |cluster: &str, header: Option<&str>| {
        let mut headers = vec![
            (":method", "GET"),
            (":path", "/v1/models"),
            (":authority", "models"),
            ("authorization", &bearer),
            ("range", "bytes=0-1"),
        ];
        headers.extend(header.map(|name| (name, "jane")));
        let mut driven = Driven::new(&compiled);
        let outcome = driven.handle(Event::RequestHead {
            headers: &bytes(&headers),
            end: true,
            cluster: Some(cluster),
        });
        (driven, outcome)
    };
    // The route may look at it, and it does not go on.
    for header in ["x-subject", "x_subject", "x-key", "x-original-url"] {
        let (_, outcome) = ask("red", Some(header));
        assert_eq!(code(&outcome), "route_not_certain", "{header}");
    }
    let answer = |driven: &mut Driven, cluster: &str| {
        driven.handle(Event::ResponseHead {
            cluster: Some(cluster),
            headers: &bytes(&[(":status", "200")]),
            end: false,
        })
    };
    let (mut driven, outcome) = ask("red", None);
    assert_eq!(set(&outcome, "x-key").as_deref(), Some("the red key"));
    assert_eq!(answer(&mut driven, "red").effects, []);
    // Other clusters that get the same are all one.
    let (mut driven, outcome) = ask("blue", None);
    assert_eq!(set(&outcome, "x-key"), None);
    assert_eq!(answer(&mut driven, "green").effects, []);
    // The routes look at what the filter put in.
    let (mut driven, _) = ask("red", None);
    assert_eq!(code(&answer(&mut driven, "blue")), "route_not_certain");
    let (_, outcome) = ask("red", None);
    assert_eq!(code(&outcome), "route_not_certain");
    let (_, outcome) = ask("blue", None);
    assert_eq!(outcome.flow, Flow::Continue);
}
