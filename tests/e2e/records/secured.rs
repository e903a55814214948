//! A desk with mTLS on both ports, which knows Envoy by its certificate alone.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::authority::Authority;
use testbed::http::Request;
use testbed::{desk, wait};

use crate::support::{Desk, Guarded, ana, chat, code, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(a_certificate_is_enough_on_both_ports);

const ENVOY: &str = "spiffe://mesh/ns/gateway/sa/envoy";

/// Envoy's side, as docs/desk.md has it.
fn transport_socket(folder: &Path) -> Value {
    let file = |name: &str| json!({"filename": folder.join(name)});
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": file("envoy.pem"),
                    "private_key": file("envoy.key"),
                }],
                "validation_context": {
                    "trusted_ca": file("mesh.pem"),
                    "match_typed_subject_alt_names": [
                        {"san_type": "IP_ADDRESS", "matcher": {"exact": "127.0.0.1"}},
                    ],
                },
            },
        },
    })
}

/// The filter sends no key to the desk: the connection says whose it is.
fn written() -> Value {
    policy(&json!({
        "sessions": {"desk": {"cluster": "desk"}},
        "rules": [
            {"name": "kept", "when": {"operation": ["model.list"]}, "then": "allow",
             "sessions": {"delivery": "committed"}},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    }))
}

fn a_certificate_is_enough_on_both_ports(version: &str) {
    let mesh = Authority::new("the mesh's").unwrap();
    let folder = testbed::process::folder().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let authority = write("mesh.pem", &mesh.certificate());
    let own = mesh.issue(&["127.0.0.1"]).unwrap();
    let (certificate, key) = (
        write("desk.pem", &own.certificate),
        write("desk.key", &own.key),
    );
    let envoy = mesh.issue(&[ENVOY]).unwrap();
    write("envoy.pem", &envoy.certificate);
    write("envoy.key", &envoy.key);
    let desk = Desk::start_with(|_| {
        json!({
            "tls": {"certificate": certificate, "key": key, "client_ca": authority},
            "filters": [{"name": "edge", "certificate": ENVOY}],
        })
    });
    let start = |socket: Option<Value>| {
        Guarded::start_with(version, &written(), |builder| {
            let builder = builder
                .cluster_http2("desk", desk.port)
                .cluster_http2("desk_log", desk.log_port);
            match socket {
                Some(socket) => builder.secured(&["desk", "desk_log"], socket),
                None => builder,
            }
        })
    };
    let guarded = start(Some(transport_socket(folder.path())));
    let list = || Request::get("/v1/models").bearer(&ana());
    // This answer goes only with its record, so the HTTP port has taken it.
    let answer = guarded.send(list());
    assert!(
        answer.status == 200 && answer.broken.is_none(),
        "{answer:?}"
    );
    // This one's record comes by Envoy's stream.
    assert_eq!(guarded.send(chat(&ana(), "hello")).status, 200);
    let ledger = desk.place.ledger();
    let kept = wait::value("two records", Duration::from_secs(30), || {
        let mut command = Command::new(desk::build().unwrap());
        let output = command.args(["sessions", "list"]).arg(&ledger).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        (text.lines().count() >= 2).then_some(text)
    });
    let kept = kept.unwrap_or_else(|why| panic!("{why}: {}", desk.process.log()));
    assert!(
        kept.contains("model.list") && kept.contains("inference.chat"),
        "{kept}"
    );

    // Without TLS nobody is heard, key or not.
    let plain = start(None);
    let answer = plain.send(list());
    let refused = answer.status == 503 && code(&answer) == "record_not_kept";
    assert!(refused || answer.broken.is_some(), "{answer:?}");
}
