//! What a head says of where it goes, and of the model.

use serde_json::json;

use super::{Driven, bytes, code, compiled, token};
use crate::exchange::{Event, Flow};

#[test]
fn an_authority_in_which_servers_find_different_hosts_is_refused() {
    let compiled = compiled(&json!({
        "rules": [
            {"name": "no", "when": {"host": ["admin.test"]}, "then": "deny"},
            {"name": "all", "then": "allow"},
        ],
    }));
    let bearer = format!("Bearer {}", token("jane", &[]));
    let asked = |authorities: &[&str]| {
        let mut headers = vec![
            (":method", "GET"),
            (":path", "/v1/models"),
            ("authorization", &bearer),
        ];
        headers.extend(
            authorities
                .iter()
                .map(|authority| (":authority", *authority)),
        );
        let mut exchange = Driven::new(&compiled);
        let headers = bytes(&headers);
        exchange.handle(Event::RequestHead {
            headers: &headers,
            end: true,
            cluster: None,
        })
    };
    for authorities in [&["models.test"][..], &["models.test.:80"], &[]] {
        let outcome = asked(authorities);
        assert_eq!(outcome.flow, Flow::Continue, "{authorities:?}");
    }
    for authority in ["admin.test", "Admin.Test.:80"] {
        assert_eq!(code(&asked(&[authority])), "denied", "{authority}");
    }
    for authorities in [
        &["models@admin.test"][..],
        &["admin%2Etest"],
        &["admin.test:x"],
        &["admin.test", "models.test"],
        &["models.test", "admin.test"],
        &[""],
    ] {
        let outcome = asked(authorities);
        assert_eq!(code(&outcome), "path_not_normal", "{authorities:?}");
    }
}

#[test]
fn a_record_has_the_name_by_which_rules_know_a_model() {
    let compiled = compiled(&json!({
        "models": {"m": {"aliases": ["usual"], "case": "any"}},
    }));
    for (method, path) in [
        // Nobody reads the bodies: a rule allows everything.
        ("POST", "/v2/repository/models/Usual/unload"),
        ("POST", "/v2/models/M/infer"),
    ] {
        let mut exchange = Driven::new(&compiled);
        let outcome = exchange.head(method, path, &[], false);
        assert_eq!(outcome.flow, Flow::Continue, "{path}");
        assert_eq!(exchange.record()["request"]["model"], "m", "{path}");
    }
}
